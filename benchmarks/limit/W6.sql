-- $1 the union, $2 the paths that the viewer may read below, $3 what to look for
with page as materialized (
  select b.id, b.name, b.kind, b.path
    from trade_union u
    cross join lateral (
      select * from trade_union where path > u.path and path < (u.path::text || '0')::ltree offset 0) b
   where u.id = $1 and u.path <@ any($2::ltree[])
     and (b.name_key like '%' || $3 || '%' or array_to_string(b.former_names, E'\n') like '%' || $3 || '%'
          or b.uscc like $3 || '%')
   order by b.path
   limit 21)
select json_build_object('union', json_build_object('descendants', json_build_object(
         'nodes', (select coalesce(json_agg(x), '[]')
                     from (select benchmark.gid('Union', id) as id, name, kind, path::text as path
                             from page order by page.path limit 20) x),
         'pageInfo', json_build_object('hasNextPage', (select count(*) > 20 from page)))))
