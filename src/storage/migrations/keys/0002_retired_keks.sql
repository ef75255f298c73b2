-- When a key was taken out of use because no record uses it (medseal scrub --sweep). It still opens what a writer may
-- have sealed under it in that moment; new records get a new generation, and once no server can have it in mind any
-- more it is destroyed.
alter table kek add column retired_at timestamptz;
