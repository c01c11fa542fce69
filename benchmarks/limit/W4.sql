-- $1 the union, $2 the paths that the viewer may read below. Counted as it is now; written for a part of the
-- country: at the top, reading everything would be faster.
select json_build_object('union', (
  select json_build_object(
           'id', benchmark.gid('Union', u.id),
           'name', u.name,
           'statistics', json_build_object(
             'unions', b.unions,
             'grassroots', b.grassroots,
             'higherLevel', b.unions - b.grassroots,
             'pending', r.pending,
             'approved', r.approved,
             'rejected', r.rejected,
             'oldestPendingAt', benchmark.moment(r.oldest)))
    from trade_union u
    cross join lateral (
      select count(*) as unions, count(*) filter (where b.kind = 'GRASSROOTS') as grassroots
        from trade_union b
       where b.path >= u.path and b.path < (u.path::text || '0')::ltree and b.status = 'ACTIVE') b
    cross join lateral (
      select count(*) filter (where r.status = 'PENDING') as pending,
             count(*) filter (where r.status = 'APPROVED') as approved,
             count(*) filter (where r.status = 'REJECTED') as rejected,
             min(r.submitted_at) filter (where r.status = 'PENDING') as oldest
        from (select id from trade_union
               where path >= u.path and path < (u.path::text || '0')::ltree and kind = 'HIGHER_LEVEL' offset 0) p
       cross join lateral (select * from registration where parent_id = p.id offset 0) r) r
   where u.id = $1 and u.path <@ any($2::ltree[])))
