-- $1 the union, $2 the paths that the viewer may read below, $3 two characters to look for, folded, which no code has.
-- The best match first: that very name, what starts so, what has it inside, a former name; then the shorter one.
with hit as (
  select b.id, b.name, b.kind, b.path, char_length(b.name_key) as length,
         case when b.name_key = $3 then 0 when starts_with(b.name_key, $3) then 1
              when strpos(b.name_key, $3) > 0 then 2 else 3 end as tier
    from trade_union b
   where union_search_keys(b.name_key, b.former_names, b.uscc, b.kind, b.region_code, nlevel(b.path)) @> array[$3::text]
     and trim_array(b.ancestors, 1) @> array[$1::bigint]
     and exists (select from trade_union where id = $1 and path <@ any($2::ltree[]))),
page as materialized (
  select *, row_number() over (order by tier, length, id) as place from hit order by tier, length, id limit 21)
select json_build_object('union', json_build_object('descendants', json_build_object(
         'nodes', (select coalesce(json_agg(x), '[]')
                     from (select benchmark.gid('Union', id) as id, name, kind, path::text as path
                             from page where place <= 20 order by place) x),
         'pageInfo', json_build_object('hasNextPage', (select count(*) > 20 from page)))))
