-- $1 the union, $2 the paths that the viewer may read below
with page as materialized (
  select c.id as key, benchmark.gid('Union', c.id) as id, c.name, c.kind, c.status, c.path::text as path,
         nlevel(c.path) - 1 as depth, c.uscc, c.created_at as "createdAt"
    from trade_union c
   where c.parent_id = $1 and c.path <@ any($2::ltree[])
   order by c.id
   limit 51)
select json_build_object('union', (
  select json_build_object('children', json_build_object(
           'nodes', (select coalesce(json_agg(x), '[]')
                       from (select id, name, kind, status, path, depth, uscc, "createdAt"
                               from page order by key limit 50) x),
           'pageInfo', json_build_object(
             'hasNextPage', (select count(*) > 50 from page),
             'endCursor', (select benchmark.cursor(json_build_array('children', max(key)))
                             from (select key from page order by key limit 50) shown))))
    from trade_union u
   where u.id = $1 and u.path <@ any($2::ltree[])))
