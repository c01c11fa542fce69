-- $1 the union, $2 the paths that the viewer may read below. Under the unions that take registrations at all,
-- each queue by its index: `offset 0` keeps the planner, which cannot know how much lies below, from reading everything.
with page as materialized (
  select r.id, r.kind, r.status, r.round, r.submitted_at, r.applicant_id, r.parent_id,
         row_number() over (order by r.submitted_at, r.id) as place
    from trade_union u
    cross join lateral (
      select id from trade_union
       where path >= u.path and path < (u.path::text || '0')::ltree and kind = 'HIGHER_LEVEL' offset 0) p
    cross join lateral (select * from registration where parent_id = p.id and status = 'PENDING' offset 0) r
   where u.id = $1 and u.path <@ any($2::ltree[])
   order by r.submitted_at, r.id
   limit 51)
select json_build_object('pendingReviews', json_build_object(
         'nodes', (
           select coalesce(json_agg(x), '[]') from (
             select benchmark.gid('Registration', r.id) as id, s.name, r.kind, r.status, r.round,
                    benchmark.moment(r.submitted_at) as "submittedAt",
                    json_build_object('id', benchmark.gid('Account', a.id), 'realName', a.real_name,
                                      'phone', benchmark.masked(a.phone)) as applicant,
                    json_build_object('id', benchmark.gid('Union', p.id), 'name', p.name) as parent,
                    (select json_agg(above.name order by level)
                       from generate_series(1, nlevel(p.path)) level
                       join trade_union above on above.path = subpath(p.path, 0, level)
                      where above.path <@ any($2::ltree[])) as "parentPath"
               from page r
               join submission s on s.registration_id = r.id and s.round = r.round
               join account a on a.id = r.applicant_id
               join trade_union p on p.id = r.parent_id
              where r.place <= 50
              order by r.place) x),
         'pageInfo', json_build_object(
           'hasNextPage', (select count(*) > 50 from page),
           'endCursor', (select benchmark.cursor(json_build_array('queue', submitted_at, id))
                           from page where place <= 50 order by place desc limit 1))))
