-- $1 the union, $2 the paths that the viewer may read below; %level% is how many unions there are down to $1
with page as materialized (
  select r.id, r.kind, r.status, r.round, r.submitted_at, r.applicant_id, r.parent_id, r.ancestors,
         row_number() over (order by r.submitted_at, r.id) as place
    from registration r
   where r.ancestors[%level%] = $1 and r.status = 'PENDING'
     and exists (select from trade_union where id = $1 and path <@ any($2::ltree[]))
   order by r.submitted_at, r.id
   limit 51)
select json_build_object('pendingReviews', json_build_object(
         'nodes', (
           select coalesce(json_agg(x), '[]') from (
             select benchmark.gid('Registration', r.id) as id, s.name, r.kind, r.status, r.round,
                    r.submitted_at as "submittedAt",
                    json_build_object('id', benchmark.gid('Account', a.id), 'realName', a.real_name,
                                      'phone', benchmark.masked(a.phone)) as applicant,
                    json_build_object('id', benchmark.gid('Union', p.id), 'name', p.name) as parent,
                    (select json_agg(above.name order by level)
                       from unnest(r.ancestors) with ordinality ancestor (id, level)
                       join trade_union above on above.id = ancestor.id
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
