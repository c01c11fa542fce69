-- $1 the union, $2 the paths that the viewer may read below
select json_build_object('union', (
  select json_build_object('children', json_build_object('nodes', (
           select coalesce(json_agg(x), '[]') from (
             select json_build_object('nodes', (
                      select coalesce(json_agg(y), '[]') from (
                        select benchmark.gid('Union', d.id) as id, d.name, d.kind, d.status, d.path::text as path,
                               nlevel(d.path) - 1 as depth, d.uscc, d.created_at as "createdAt"
                          from trade_union d
                         where d.parent_id = c.id and d.path <@ any($2::ltree[])
                         order by d.id
                         limit 100) y)) as children
               from trade_union c
              where c.parent_id = $1 and c.path <@ any($2::ltree[])
              order by c.id
              limit 10) x)))
    from trade_union u
   where u.id = $1 and u.path <@ any($2::ltree[])))
