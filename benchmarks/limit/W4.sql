-- $1 the union, $2 the paths that the viewer may read below; %level% is how many unions there are down to $1.
-- From the third level down, which is asked for, a union's tally counts all below it; itself it does not count.
select json_build_object('union', (
  select json_build_object(
           'id', benchmark.gid('Union', u.id),
           'name', u.name,
           'statistics', json_build_object(
             'unions', coalesce(t.grassroots + t.higher_level, 0) + (u.status = 'ACTIVE')::int,
             'grassroots', coalesce(t.grassroots, 0) + (u.status = 'ACTIVE' and u.kind = 'GRASSROOTS')::int,
             'higherLevel', coalesce(t.higher_level, 0) + (u.status = 'ACTIVE' and u.kind = 'HIGHER_LEVEL')::int,
             'pending', coalesce(t.pending, 0),
             'approved', coalesce(t.approved, 0),
             'rejected', coalesce(t.rejected, 0),
             'oldestPendingAt', (select submitted_at from registration
                                  where ancestors[%level%] = $1 and status = 'PENDING'
                                  order by submitted_at limit 1)))
    from trade_union u
    left join tally t on t.union_id = u.id
   where u.id = $1 and u.path <@ any($2::ltree[])))
