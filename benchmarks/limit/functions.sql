-- Shorthands of the statements beside this file. PostgreSQL puts their bodies in their place when it plans; for that,
-- nothing in an immutable one may be less than immutable, as `text || bigint` is.

create or replace function benchmark.gid(kind text, id bigint) returns text language sql immutable as $$
  select rtrim(encode((kind || ':' || id::text)::bytea, 'base64'), '=')  -- base64 of digits has nothing that a URL minds
$$;

create or replace function benchmark.cursor(key json) returns text language sql stable as $$
  select translate(encode(convert_to(key::text, 'UTF8'), 'base64'), E'+/=\n', '-_')
$$;

create or replace function benchmark.dialled(phone text) returns text language sql immutable as $$
  select case when phone like '+86%' then substr(phone, 4) else phone end  -- mobiles and hotlines alone were planted
$$;

create or replace function benchmark.masked(phone text) returns text language sql immutable as $$
  select substr(phone, 4, 3) || '****' || right(phone, 4)
$$;
