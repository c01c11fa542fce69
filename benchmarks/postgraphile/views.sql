-- What PostGraphile shows: views in a schema of their own, with the viewer's reach as their WHERE.
-- (Row-level security would need a second role and cost the same; a view is a plan's own filter.)
-- `viewer.top` is set for each request from its token, and holds the one path that a viewer of the load has.

drop schema if exists shown cascade;
create schema shown;

create function shown.top() returns ltree language sql stable as $$ select current_setting('viewer.top')::ltree $$;
create function shown.behind() returns ltree language sql stable as $$
  select (current_setting('viewer.top') || '0')::ltree
$$;

create view shown.region as select code, full_name from public.region;

create view shown.union as
  select id, parent_id, name, kind, status, path::text as path, nlevel(path) - 1 as depth, uscc, created_at
    from public.trade_union
   where path >= shown.top() and path < shown.behind();

create view shown.card as
  select u.id, u.name, u.kind, u.region_code, p.name as parent_name,
         case when u.contact_phone like '+86%' then substr(u.contact_phone, 4) else u.contact_phone end as contact_phone
    from public.trade_union u left join public.trade_union p on p.id = u.parent_id;

create view shown.invite as
  select id, token, union_id, expires_at,
         case when revoked_at is not null then 'REVOKED' when expires_at <= now() then 'EXPIRED'
              when uses >= max_uses then 'EXHAUSTED' else 'OPEN' end as status
    from public.invite;

create view shown.account as
  select id, real_name, substr(phone, 4, 3) || '****' || right(phone, 4) as phone from public.account;

create view shown.registration as
  select r.id, s.name, r.kind, r.status, r.round, r.submitted_at, r.applicant_id, r.parent_id, r.ancestors
    from public.registration r join public.submission s on s.registration_id = r.id and s.round = r.round
   where r.parent_path >= shown.top() and r.parent_path < shown.behind();

create function shown.registration_parent_path(r shown.registration) returns text[] language sql stable as $$
  select array_agg(a.name order by level)
    from unnest(r.ancestors) with ordinality ancestor (id, level) join public.trade_union a on a.id = ancestor.id
   where a.path >= shown.top() and a.path < shown.behind()
$$;

-- Which index holds a queue depends on how deep its union lies. A hundred rows, the longest page, and one more: whoever
-- reads on would hand over where they were. Without the limit, all that waits in the country would be read for a page.
create function shown.pending_reviews(under bigint) returns setof shown.registration language plpgsql stable rows 101 as $$
begin
  return query execute format(
    $queue$ select * from shown.registration where ancestors[%s] = $1 and status = 'PENDING'
             order by submitted_at, id limit 101 $queue$,
    (select nlevel(path) from public.trade_union where id = under)) using under;
end $$;

comment on view shown.region is E'@primaryKey code';
comment on view shown.union is E'@primaryKey id\n@foreignKey (parent_id) references union (id)|@fieldName parent|@foreignFieldName children';
comment on view shown.card is E'@primaryKey id\n@foreignKey (region_code) references region (code)|@fieldName region';
comment on view shown.invite is E'@primaryKey id\n@unique token\n@foreignKey (union_id) references card (id)|@fieldName card';
comment on view shown.account is E'@primaryKey id';
comment on view shown.registration is E'@primaryKey id\n@foreignKey (applicant_id) references account (id)|@fieldName applicant\n@foreignKey (parent_id) references card (id)|@fieldName parent';
comment on column shown.registration.ancestors is E'@behavior -*';
