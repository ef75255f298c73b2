-- Every time the glass was broken, until and after an administrator has reviewed it.
create table emergency_access (
  id uuid primary key,
  -- Whose record it is.
  institution smallint not null,
  at timestamptz not null,
  until timestamptz not null,
  -- SHA-256 of the token that was given, to take it back by.
  token bytea not null,
  -- A JWE: who, for whom, why; it opens only in this row.
  sealed text not null,
  -- A JWE of what the review found.
  review text,
  reviewed_at timestamptz
);
create index emergency_access_waiting on emergency_access (at) where review is null;
create index emergency_access_reviewed on emergency_access (at) where review is not null;

grant select, insert, update on emergency_access to medseal_writer;
