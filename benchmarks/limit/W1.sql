-- $1 the code's token
select json_build_object('invite', (
  select json_build_object(
           'id', benchmark.gid('Invite', i.id),
           'status', case when i.revoked_at is not null then 'REVOKED'
                          when i.expires_at <= now() then 'EXPIRED'
                          when i.uses >= i.max_uses then 'EXHAUSTED' else 'OPEN' end,
           'expiresAt', i.expires_at,
           'card', json_build_object(
             'id', benchmark.gid('Union', u.id),
             'name', u.name,
             'kind', u.kind,
             'region', json_build_object('code', r.code, 'fullName', r.full_name),
             'parentName', p.name,
             'contactPhone', benchmark.dialled(u.contact_phone)))
    from invite i
    join trade_union u on u.id = i.union_id
    join region r on r.code = u.region_code
    left join trade_union p on p.id = u.parent_id
   where i.token = $1))
