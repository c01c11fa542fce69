-- $1 the union, $2 the paths that the viewer may read below
select json_build_object('union', (
  select json_build_object(
           'id', benchmark.gid('Union', u.id),
           'name', u.name,
           'depth', nlevel(u.path) - 1,
           'parent', (select json_build_object('id', benchmark.gid('Union', p.id), 'name', p.name)
                        from trade_union p
                       where p.id = u.parent_id and p.path <@ any($2::ltree[])),
           'ancestors', (select coalesce(json_agg(x), '[]') from (
             select benchmark.gid('Union', a.id) as id, a.name, a.kind, a.path::text as path
               from unnest(trim_array(u.ancestors, 1)) with ordinality ancestor (id, level)
               join trade_union a on a.id = ancestor.id
              where a.path <@ any($2::ltree[])
              order by level) x))
    from trade_union u
   where u.id = $1 and u.path <@ any($2::ltree[])))
