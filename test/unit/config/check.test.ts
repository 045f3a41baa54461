import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../src/config/check.ts';
import { parseConfigDocument } from '../../../src/config/document.ts';
import { formatPath } from '../../../src/config/problem.ts';
import { fakeCatalog } from './fake-catalog.ts';

const adapters = `
sources:
  db: { type: shop, url: shop://host/db }
destinations:
  disk: { type: shelf, path: ./a }
  far: { type: cloud, bucket: b }
notifications:
  ops: { type: bell, url: x }
  boss: { type: bell, url: y }
encryption:
  main: { type: lock, recipients: [x] }
`;

function check(text: string) {
  const { raw, problems } = parseConfigDocument(text);
  expect(problems).toEqual([]);
  return checkConfig(raw, '/etc/dbbackup/dbbackup.yaml', '/etc/dbbackup', fakeCatalog);
}

/** Problems as `path: message -> suggestion`. */
function problems(text: string): readonly string[] {
  return check(text).findings.map(({ path, message, suggestion }) => {
    return `${formatPath(path)}: ${message}${suggestion === undefined ? '' : ` -> ${suggestion}`}`;
  });
}

function job(fields: string): string {
  return `${adapters}jobs:\n  j: { source: db, destinations: disk, ${fields} }\n`;
}

describe('a job that lacks what it needs', () => {
  test('is told so in two words, whatever shapes the value could have', () => {
    expect(problems(`${adapters}jobs:\n  k: { source: db }\n`)).toEqual(['jobs.k.destinations: is missing']);
    expect(problems(`${adapters}jobs:\n  k: { source: db, destinations: 5 }\n`)).toEqual([
      'jobs.k.destinations: must be text or a map or a list',
    ]);
  });
});

describe('a sound configuration', () => {
  test('becomes jobs with their adapters, defaults filled in', () => {
    const { config } = check(`${adapters}state: { dir: ./state }\njobs:\n  j: { source: db, destinations: disk }\n`);
    expect(config?.stateFolder).toBe('/etc/dbbackup/state');
    expect(config?.jobs.get('j')).toMatchObject({
      name: 'j',
      enabled: true,
      source: { name: 'db', type: 'shop', options: { url: 'shop://host/db' } },
      destinations: [{ name: 'disk', type: 'shelf', place: '/etc/dbbackup/dbbackup.yaml: destinations.disk' }],
      backupType: 'full',
      compression: { type: 'zstd', level: 3 },
      timeouts: {},
    });
  });

  test('takes every field of a job', () => {
    const { config, findings } = check(`${adapters}jobs:
  j:
    description: all of it
    enabled: false
    source: db
    destinations: [far, disk]
    backupType: schema
    format: binary
    tables: { include: [a], exclude: [b] }
    compression: { type: gzip, level: 9 }
    encryption: main
    timeouts: { idle: 90s, total: 1h30m }
`);
    expect(findings).toEqual([]);
    expect(config?.jobs.get('j')).toMatchObject({
      enabled: false,
      destinations: [{ name: 'far' }, { name: 'disk' }],
      backupType: 'schema',
      format: 'binary',
      filter: { include: ['a'], exclude: ['b'] },
      compression: { type: 'gzip', level: 9 },
      encryption: { name: 'main', type: 'lock' },
      timeouts: { idleMs: 90_000, totalMs: 5_400_000 },
    });
  });

  test('needs no section at all', () => {
    expect(check('state: { dir: /x }').config?.jobs.size).toBe(0);
  });
});

describe('keys', () => {
  test.each([
    ['sorces: {}', 'sorces: unknown key -> sources'],
    ['daemons: {}', 'daemons: unknown key'],
    [job('retention: { dayly: 3 }'), 'jobs.j.retention.dayly: unknown key -> daily'],
    [job('retension: { daily: 3 }'), 'jobs.j.retension: unknown key -> retention'],
    [job('compresion: zstd'), 'jobs.j.compresion: unknown key -> compression'],
    [job('timeouts: { idel: 3s }'), 'jobs.j.timeouts.idel: unknown key -> idle'],
    [job('compression: { type: zstd, lvl: 3 }'), 'jobs.j.compression.lvl: unknown key -> level'],
    ['sources: { a: { type: shop, pasword: hunter2 } }', 'sources.a.pasword: unknown key -> password'],
    ['sources: { a: { type: shop, pool: { size: 3, siz: 3 } } }', 'sources.a.pool.siz: unknown key -> size'],
    ['sources: { a: { type: shop, "password:hunter2": } }', 'sources.a."password…": unknown key -> password'],
  ])('%s', (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });
});

describe('names and references', () => {
  test.each([
    ['sources: { "-a": { type: shop } }', /^sources\.-a: a name has up to 100 letters/],
    ['sources: { a: { type: shp } }', /^sources\.a\.type: is no type that exists here \(there is shop\) -> shop$/],
    ['sources: { a: { path: x } }', /^sources\.a\.type: is missing \(there is shop\)$/],
    ['sources: { a: shop }', /^sources\.a: must be a map/],
    ['sources:', /^sources: must be a map, not empty$/],
    [
      `${adapters}jobs: { j: { source: bd, destinations: disk } }`,
      /^jobs\.j\.source: no source has this name .* -> db$/,
    ],
    [`${adapters}jobs: { j: { source: db, destinations: dsk } }`, /^jobs\.j\.destinations: no destination .* -> disk$/],
    [`${adapters}jobs: { j: { source: db, destinations: [far, dsk] } }`, /^jobs\.j\.destinations\[1\]: .* -> disk$/],
    [`${adapters}jobs: { j: { source: db, destinations: [] } }`, /^jobs\.j\.destinations: needs at least one/],
    [
      `${adapters}jobs: { j: { source: db, destinations: 3 } }`,
      /^jobs\.j\.destinations: must be text or a map or a list$/,
    ],
    [`${adapters}jobs: { j: { source: db, destinations: [far, far] } }`, /^jobs\.j\.destinations: names .* twice$/],
    [`${adapters}jobs: { j: { destinations: far } }`, /^jobs\.j\.source: is missing \(text\)$/],
    [job('notify: osp'), /^jobs\.j\.notify: no notification has this name \(there is ops, boss\) -> ops$/],
    [job('notify: [ops, bos]'), /^jobs\.j\.notify\[1\]: no notification has this name .* -> boss$/],
    [job('notify: [ops, ops]'), /^jobs\.j\.notify: names a notification twice$/],
    ['notifications: { a: { type: bel } }', /^notifications\.a\.type: is no type that exists here .* -> bell$/],
    ['notifications: { a: { type: bell, url: x, luod: true } }', /^notifications\.a\.luod: unknown key -> loud$/],
    [job('encryption: mian'), /^jobs\.j\.encryption: no encryption has this name \(there is main\) -> main$/],
    ['jobs: { j: { source: db, destinations: [] } }', /^jobs\.j\.source: no source has this name \(none is defined\)$/],
  ])('%s', (text, expected) => {
    expect(problems(text)).toContainEqual(expect.stringMatching(expected));
  });

  test('a name that JavaScript has of its own is not taken for a definition', () => {
    expect(problems(`${adapters}jobs: { j: { source: toString, destinations: constructor } }`)).toHaveLength(2);
  });
});

describe('values', () => {
  test.each([
    [job('enabled: "yes"'), /^jobs\.j\.enabled: must be true or false, not text$/],
    [job('compression: zsdt'), /^jobs\.j\.compression: must be one of .* -> zstd$/],
    [job('compression: { type: gzpi }'), /^jobs\.j\.compression\.type: must be one of .* -> gzip$/],
    [job('compression: { type: gzip, level: 99 }'), /^jobs\.j\.compression\.level: /],
    [job('compression: { type: gzip, level: fast }'), /^jobs\.j\.compression\.level: must be a number, not text$/],
    [job('timeouts: { idle: 10 }'), /^jobs\.j\.timeouts\.idle: must be a duration with a unit/],
    [job('timeouts: { idle: 0s }'), /^jobs\.j\.timeouts\.idle: must be a duration with a unit/],
    [job('timeouts: { idle: -5m }'), /^jobs\.j\.timeouts\.idle: must be a duration with a unit/],
    [job('tables: { include: audit }'), /^jobs\.j\.tables\.include: must be a list, not text$/],
    ['sources: { a: { type: shop, port: 99999 } }', /^sources\.a\.port: /],
    ['sources: { a: { type: shop, mode: fsat } }', /^sources\.a\.mode: must be one of fast, careful -> fast$/],
    ['state: {}', /^state\.dir: is missing \(text\)$/],
    ['[]', /^: must be a map, not a list$/],
    ['hello', /^: must be a map, not text$/],
  ])('%s', (text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });
});

describe('hooks', () => {
  const hooksOf = (hooks: string) => check(job(`hooks: ${hooks}`)).config?.jobs.get('j')?.hooks;

  test('become words, with a time limit', () => {
    expect(hooksOf(`{ before: "./a.sh 'b c'", after: ["sh -c 'x | y'", [z, "a b"]], timeout: 5s }`)).toEqual({
      before: [['./a.sh', 'b c']],
      after: [
        ['sh', '-c', 'x | y'],
        ['z', 'a b'],
      ],
      onSuccess: [],
      onFailure: [],
      timeoutMs: 5000,
    });
    expect(hooksOf('{}')).toMatchObject({ timeoutMs: 600_000 });
  });

  test('an escaped reference is text for the program', () => {
    expect(hooksOf(`{ before: ["sh -c 'echo $\${A}'", [echo, "$\${B}"]] }`)?.before).toEqual([
      ['sh', '-c', `echo \${A}`],
      ['echo', `\${B}`],
    ]);
  });

  test.each([
    ['{ befor: [a] }', /^jobs\.j\.hooks\.befor: unknown key -> before$/],
    ['{ before: ["a \'b"] }', /^jobs\.j\.hooks\.before\[0\]: a quote in a command is not closed$/],
    ['{ before: [""] }', /^jobs\.j\.hooks\.before\[0\]: names no program$/],
    ['{ before: [[]] }', /^jobs\.j\.hooks\.before\[0\]: names no program$/],
    ['{ before: 3 }', /^jobs\.j\.hooks\.before: must be text or a list$/],
    [`{ before: ["echo \${TOKEN}"] }`, /^jobs\.j\.hooks\.before\[0\]: references are looked up only inside/],
    ['{ timeout: 5 }', /^jobs\.j\.hooks\.timeout: must be a duration with a unit/],
  ])('%s', (hooks, expected) => {
    const found = problems(job(`hooks: ${hooks}`));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });
});

describe('what a source cannot do', () => {
  test.each([
    [job('backupType: data'), /^jobs\.j\.backupType: a source of type shop cannot do this \(it can do full, schema\)$/],
    [job('backupType: fulll'), /^jobs\.j\.backupType: must be one of full, schema, data -> full$/],
    [job('format: slq'), /^jobs\.j\.format: no dump format has this name \(there is sql, binary\) -> sql$/],
    [job('databases: all'), /^jobs\.j\.databases: a source of type shop cannot do this$/],
    [job('databases: []'), /^jobs\.j\.databases: needs at least one database$/],
    [job('schemas: { include: [a] }'), /^jobs\.j\.schemas: a source of type shop cannot do this$/],
  ])('%s', (text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test('two destinations of one job are one place', () => {
    const twins = `${adapters.replace('far: { type: cloud, bucket: b }', 'far: { type: shelf, path: ./a }')}`;
    expect(problems(`${twins}jobs: { j: { source: db, destinations: [disk, far] } }`)).toEqual([
      'jobs.j.destinations[1]: is the same place as disk: one copy, not two',
    ]);
  });
});

describe('values that are kept elsewhere', () => {
  test('are not judged before they are looked up, the others are', () => {
    expect(problems(`sources: { a: { type: shop, port: "\${PORT}", url: "\${U}", mode: "x\${M}", tls: 3 } }`)).toEqual([
      'sources.a.tls: must be true or false, not a number',
    ]);
  });

  test.each([
    `\${`,
    `\${1A}`,
    `\${vault:x}`,
    `\${A`,
    `\${}`,
    `\${file:}`,
    `\${exec: }`,
    `\${A:-\${B}}`,
    `\${exec:a "b}`,
  ])('%s is no reference', (text) => {
    const found = problems(`sources: { a: { type: shop, url: '${text}' } }`);
    expect(found.some((each) => each.startsWith('sources.a.url: '))).toBe(true);
  });

  test('a rule about which options stand together holds for them too', () => {
    expect(problems(`encryption: { e: { type: lock, recipients: ["\${R}"], passphrase: "\${P}" } }`)).toEqual([
      'encryption.e: recipients or a passphrase, not both',
    ]);
  });

  test('an escaped one is text', () => {
    expect(problems(`sources: { a: { type: shop, url: 'shop://$\${x}' } }`)).toEqual([]);
  });

  test('are refused where nobody looks them up', () => {
    expect(problems(`state: { dir: "\${HOME}/x" }`)[0]).toMatch(/^state\.dir: references are looked up only inside/);
  });
});

test('all problems come at once', () => {
  const text = `${adapters}extra: 1
jobs:
  a: { source: nope, destinations: [nope], colour: red }
  b: { source: db, destinations: disk, backupType: data, compression: lz4 }
`;
  expect(problems(text)).toHaveLength(6);
});

describe('the limit of a destination', () => {
  const withLimit = (limit: string) => `destinations:\n  disk: { type: shelf, path: ./a, limit: ${limit} }\n`;

  test.each([
    ['10MB/s', { upload: 10_000_000, download: 10_000_000 }],
    ['{ upload: 80Mbit/s }', { upload: 10_000_000 }],
    ['{ upload: 1MiB/s, download: 2MiB/s }', { upload: 2 ** 20, download: 2 ** 21 }],
  ])('%s', (limit, expected) => {
    const { config } = check(withLimit(limit));
    expect(config?.destinations.get('disk')).toMatchObject({ options: { path: './a' }, limit: expected });
  });

  test.each([
    ['fast', 'destinations.disk.limit: must be a rate'],
    ['0MB/s', 'destinations.disk.limit: must be a rate'],
    ['10', 'destinations.disk.limit: must be a rate'],
    ['{ uplod: 1MB/s }', 'destinations.disk.limit.uplod: unknown key -> upload'],
    ['{ upload: 1 }', 'destinations.disk.limit.upload: must be a rate'],
  ])('%s is refused', (limit, expected) => {
    expect(problems(withLimit(limit))).toEqual([expect.stringContaining(expected)]);
  });

  test('is no option of a source', () => {
    expect(problems('sources:\n  db: { type: shop, url: shop://host/db, limit: 1MB/s }\n')).toEqual([
      'sources.db.limit: unknown key',
    ]);
  });
});

describe('schedule', () => {
  const scheduleOf = (schedule: string) => check(job(`schedule: ${schedule}`)).config?.jobs.get('j')?.schedule;

  test.each([
    ['{ cron: "0 3 * * MON-fri" }', { kind: 'cron', expression: '0 3 * * 1-5' }],
    [
      '{ cron: "@daily", timezone: Europe/Zurich }',
      { kind: 'cron', expression: '0 0 * * *', timezone: 'Europe/Zurich' },
    ],
    ['{ every: 1h30m }', { kind: 'interval', every: '1h30m', everyMs: 5_400_000 }],
    ['manual', undefined],
  ])('%s', (schedule, expected) => {
    expect(scheduleOf(schedule)).toEqual(expected);
  });

  test.each([
    ['{ cron: "0 0 31 2 *" }', /^jobs\.j\.schedule\.cron: never fires: no month has that day$/],
    ['{ cron: "0 25 * * *" }', /^jobs\.j\.schedule\.cron: "25" is no hour \(0 to 23\)$/],
    ['{ cron: "0 3 * *" }', /^jobs\.j\.schedule\.cron: must have five fields/],
    ['{ cron: 3 }', /^jobs\.j\.schedule\.cron: must be text, not a number$/],
    ['{ every: 6 }', /^jobs\.j\.schedule\.every: must be a duration with a unit/],
    ['{ every: 500ms }', /^jobs\.j\.schedule\.every: must be a duration with a unit, in whole seconds/],
    ['{ every: 0s }', /^jobs\.j\.schedule\.every: must be a duration/],
    ['{ every: 400d }', /^jobs\.j\.schedule\.every: must not be longer than a year/],
    ['{ every: 6h, timezone: Europe/Zürich }', /^jobs\.j\.schedule\.timezone: is no timezone.* -> Europe\/Zurich$/],
    ['{ every: 6h, timezone: "+02:00" }', /^jobs\.j\.schedule\.timezone: is no timezone/],
    ['{ timezone: UTC }', /^jobs\.j\.schedule: needs either cron or every/],
    ['{ cron: "0 3 * * *", every: 6h }', /^jobs\.j\.schedule: needs either cron or every/],
    ['{ crno: "0 3 * * *" }', /^jobs\.j\.schedule\.crno: unknown key -> cron$/],
    ['manul', /^jobs\.j\.schedule: must be manual -> manual$/],
    ['"0 3 * * *"', /^jobs\.j\.schedule: must be /],
  ])('%s is refused', (schedule, expected) => {
    const found = problems(job(`schedule: ${schedule}`));
    expect(found).toEqual([expect.stringMatching(expected)]);
  });
});
