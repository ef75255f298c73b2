/**
 * postgresql.conf of the embedded server, written anew at each start. An operator's own settings go into `local.conf`
 * beside it, which is read last. https://www.postgresql.org/docs/18/runtime-config.html
 */
export function serverSettings(
  machine: { readonly sockets: string; readonly access: string; readonly memory: number },
  extra: Readonly<Record<string, string>>,
): string {
  const settings: Readonly<Record<string, string>> = {
    // Only who may enter the socket's directory can connect; see HOST_BASED_AUTHENTICATION.
    hba_file: machine.access,
    listen_addresses: '',
    unix_socket_directories: machine.sockets,
    unix_socket_permissions: '0700',
    // The three pools, the listener, an owner at start, and a few for an operator's psql.
    max_connections: '40',

    // A commit that was answered survives a power failure.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    // As much as base backups and archiving need; `minimal` would save nothing on the rows that we write.
    wal_level: 'replica',
    // Sealed bytes do not compress, and this build has pglz only, which costs more time than the log is worth.
    wal_compression: 'off',
    // Fewer checkpoints write fewer full pages; a crash is still recovered from within seconds.
    max_wal_size: '1GB',
    min_wal_size: '160MB',
    checkpoint_timeout: '10min',
    checkpoint_completion_target: '0.9',

    // The server lies beside a Node process on a modest machine; the system's own cache does the rest.
    shared_buffers: `${sharedBuffers(machine.memory)}MB`,
    effective_cache_size: `${Math.max(256, Math.floor(machine.memory / 2 / MEGABYTE))}MB`,
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    autovacuum_max_workers: '2',
    // Short statements: compiling, workers and asynchronous reads cost more than they gain, and processes of their own.
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    io_method: 'sync',
    max_logical_replication_workers: '0',
    // With the default of 4 the planner prefers scans to the GIN index over tokens.
    random_page_cost: '1.1',

    // Inserts into the blind index make statistics stale faster than updates do.
    autovacuum_naptime: '30s',

    // Nothing out of a record may reach the log: no statements, parameters or details, and no errors of statements at
    // all (their text can quote a value; the caller gets them anyway). What concerns the server itself is logged.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_statement: 'none',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    log_error_verbosity: 'terse',
    // In the cluster's directory, one file a weekday, replaced a week later.
    logging_collector: 'on',
    log_directory: 'log',
    log_filename: 'postgresql-%a.log',
    log_rotation_age: '1d',
    log_rotation_size: '0',
    log_truncate_on_rotation: 'on',
    log_file_mode: '0600',
    log_line_prefix: '%m [%p] ',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    lc_messages: 'C',
    ...extra,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}`);
  return [
    '# Written by MedSeal at each start: put your own settings into local.conf.',
    ...lines,
    "include_if_exists = 'local.conf'",
    '',
  ].join('\n');
}

const MEGABYTE = 2 ** 20;

/** A sixteenth of the memory, but 64 MB at least and 256 MB at most. */
function sharedBuffers(memory: number): number {
  return Math.min(256, Math.max(64, Math.floor(memory / 16 / MEGABYTE)));
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * Every database user is trusted on the socket: whoever may enter its directory could as well read and change the
 * database files, which belong to the same account, so a password would add nothing but a file to hold it. What the
 * logins may do is still theirs alone: no login can become another.
 */
export const HOST_BASED_AUTHENTICATION = 'local all all trust\n';
