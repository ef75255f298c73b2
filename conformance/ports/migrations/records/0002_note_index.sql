create index note_by_owner on note (owner);
