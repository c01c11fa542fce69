-- $1 the union, $2 the paths that the viewer may read below; everything is counted as it is now
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
        from trade_union p
        join registration r on r.parent_id = p.id
       where p.path >= u.path and p.path < (u.path::text || '0')::ltree) r
   where u.id = $1 and u.path <@ any($2::text[]::ltree[])))
