/**
 * The preset for Supabase, against servers that are laid out as its projects are: a platform's schemas, roles, event
 * trigger and default privileges, and a user who is no superuser. The service itself cannot be had here.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sidecar } from '../../src/sidecar/sidecar.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { backupsOf } from './aftermath.ts';
import { expectCode, makeWorkplace, type Workplace } from './cli.ts';

const password = 'project-password';

const platformSql = `
CREATE ROLE supabase_admin SUPERUSER; CREATE ROLE anon; CREATE ROLE authenticated;
CREATE ROLE owner LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD '${password}';
ALTER DATABASE postgres OWNER TO owner;
SET ROLE supabase_admin;
CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY); 
CREATE FUNCTION auth.uid() RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT USAGE ON SCHEMA auth TO owner; GRANT SELECT, INSERT, REFERENCES ON auth.users TO owner;
CREATE SCHEMA vault; CREATE TABLE vault.secrets AS SELECT 'hidden' AS secret;
CREATE SCHEMA extensions; CREATE EXTENSION hstore SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO PUBLIC;
CREATE FUNCTION extensions.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION extensions.watch();
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon;
SET ROLE owner;
CREATE PUBLICATION supabase_realtime;`;

const ownSql = `INSERT INTO auth.users VALUES (1), (2);
SET ROLE owner;
CREATE ROLE reporter; CREATE SCHEMA app; CREATE TABLE app.facts AS SELECT 42 AS answer;
GRANT USAGE ON SCHEMA app TO reporter; GRANT SELECT ON app.facts TO reporter;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO authenticated;
CREATE TABLE todos (id serial PRIMARY KEY, uid int REFERENCES auth.users, tags extensions.hstore, note text);
INSERT INTO todos (uid, tags, note) VALUES (1, 'a=>1', 'один'), (2, NULL, 'two');
COMMENT ON TABLE todos IS 'what is to be done';
ALTER TABLE todos ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON todos USING (uid = auth.uid());
ALTER PUBLICATION supabase_realtime ADD TABLE todos;`;

let projects: readonly [PostgresServer, PostgresServer];
let place: Workplace;

beforeAll(async () => {
  projects = [await startPostgres(), await startPostgres()];
  for (const each of projects) await each.sql(platformSql);
  await projects[0].sql(ownSql);
  place = await makeWorkplace();
  const source = ({ host, port }: PostgresServer, more = {}) => {
    return { type: 'postgres', preset: 'supabase', host, port, user: 'owner', database: 'postgres', password, ...more };
  };
  const pooler = { host: 'aws-0-eu-central-1.pooler.supabase.com', port: 6543 };
  await place.configure(
    JSON.stringify({
      sources: {
        old: source(projects[0]),
        new: source(projects[1]),
        pooled: source(projects[0], pooler),
        'pooled-without-preset': source(projects[0], { ...pooler, preset: undefined }),
      },
      destinations: { disk: { type: 'local', path: './backups' } },
      jobs: {
        project: { source: 'old', destinations: 'disk', databases: 'postgres' },
        users: { source: 'old', destinations: 'disk', backupType: 'data', schemas: { include: ['auth'] } },
        pooled: { source: 'pooled', destinations: 'disk' },
        'pooled-without-preset': { source: 'pooled-without-preset', destinations: 'disk' },
      },
    }),
  );
}, 60_000);
afterAll(async () => {
  for (const each of projects ?? []) await each.stop();
  await place?.remove();
});

async function sidecarOf(job: string): Promise<Sidecar> {
  const { key } = (await backupsOf(place)).find((each) => each.key.startsWith(`${job}/`)) ?? { key: '' };
  return JSON.parse(await readFile(place.path('backups', `${key}.meta.json`), 'utf8')) as Sidecar;
}

const own = async (of: PostgresServer): Promise<string> =>
  (await of.program('pg_dump', ['--schema=public', '--schema=app'])).replace(/^\\(un)?restrict .*$/gm, '');

test('what is one’s own goes into another project, which keeps what is the platform’s', {
  timeout: 60_000,
}, async () => {
  const run = expectCode(await place.run('run', 'project', 'users'), 0);
  expect(run.stderr).not.toMatch(/may not read/);
  const sidecar = await sidecarOf('project');
  expect(Object.keys(sidecar.contents[0]?.tables ?? {}).sort()).toEqual(['app.facts', 'public.todos']);
  expect(sidecar.contents[0]?.properties).toMatchObject({ preset: 'supabase' });
  expect((await sidecarOf('users')).contents[0]?.tables).toEqual({ 'auth.users': 2 });

  // Rows refer to the users: they come first.
  expectCode(await place.run('restore', 'project@latest', '--to', 'new'), 3);
  expectCode(await place.run('restore', 'users@latest', '--to', 'new', '--data-only'), 0);
  expect(await projects[1].sql('SELECT count(*) FROM auth.users')).toBe('2');
  const platform = async () =>
    projects[1].program('pg_dump', ['--schema=auth', '--schema=vault', '--schema=extensions']);
  const before = (await platform()).replace(/^\\(un)?restrict .*$/gm, '');
  const restored = await place.run('restore', 'project@latest', '--to', 'new');
  expect(expectCode(restored, 0).stderr).toMatch(/left as they are: .*anon.*supabase_admin/);
  expect(await own(projects[1])).toBe(await own(projects[0]));
  expect((await platform()).replace(/^\\(un)?restrict .*$/gm, '')).toBe(before);
  expect(await projects[1].sql(`SELECT count(*) FROM pg_publication_tables`)).toBe('1');

  const again = await place.run('restore', 'project@latest', '--to', 'new', '--no-globals');
  expect(expectCode(again, 3).stderr).toMatch(/already holds data/);
  const clean = await place.run('restore', 'project@latest', '--to', 'new', '--clean', '--yes');
  expect(expectCode(clean, 2).stderr).toMatch(/what belongs to Supabase/);
});

test.each([
  'pooled',
  'pooled-without-preset',
])('the transaction pooler is refused, and the right port named (%s)', async (job) => {
  const run = await place.run('run', job);
  expect(expectCode(run, 2).stderr).toMatch(/port 6543 .* transaction pooler[\s\S]*Use port 5432/);
});
