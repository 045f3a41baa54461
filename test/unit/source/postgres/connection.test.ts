import { describe, expect, test } from 'vitest';
import { redact } from '../../../../src/redact.ts';
import { Connection } from '../../../../src/source/postgres/connection.ts';
import { connectionParameters, postgresOptions } from '../../../../src/source/postgres/options.ts';

const parameters = (url: string) => connectionParameters(postgresOptions.parse({ url }));

describe('a URL', () => {
  test.each([
    ['postgres://db', { host: 'db' }],
    ['postgresql://', {}],
    ['postgres:///shop', { dbname: 'shop' }],
    [
      'postgres://ann:s%40%2Fcret@db.internal:6543/shop%20%F0%9F%90%98?sslmode=require',
      { user: 'ann', password: 's@/cret', host: 'db.internal', port: '6543', dbname: 'shop 🐘', sslmode: 'require' },
    ],
    ['postgres://[::1]:5433,other,third:1/x', { host: '::1,other,third', port: '5433,,1', dbname: 'x' }],
    [
      'postgres:///x?host=/run/postgresql&connect_timeout=3',
      { host: '/run/postgresql', dbname: 'x', connect_timeout: '3' },
    ],
    ['postgres://%2Frun%2Fpg/x', { host: '/run/pg', dbname: 'x' }],
  ])('%s', (url, expected) => {
    expect(parameters(url)).toEqual(expected);
  });

  test.each([
    'postgres://db:port/x',
    'postgres://a@b@c/x',
    'postgres://db/x?sslmod=require',
    'postgres://db/%zz',
    'postgres://db/x#y',
  ])('%s is refused', (url) => {
    expect(() => parameters(url)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('gives way to the fields beside it, and its password is a secret', () => {
    const options = postgresOptions.parse({ url: 'postgres://u:url-password-77@db/x', database: 'y', port: 5555 });
    expect(connectionParameters(options)).toMatchObject({ dbname: 'y', port: '5555', host: 'db' });
    expect(redact('said url-password-77 aloud')).toBe('said *** aloud');
    expect(() => parameters('postgres://u:canary-12@db:x/y')).not.toThrow(/canary-12/);
  });
});

describe('a connection', () => {
  test('puts everything into the environment and nothing into the arguments', () => {
    const access = new Connection(parameters('postgres://u:p4ssw0rd@db:1/--help'), {}).to();
    expect(access.args).toEqual([]);
    expect(access.env).toMatchObject({
      PGHOST: 'db',
      PGPORT: '1',
      PGUSER: 'u',
      PGPASSWORD: 'p4ssw0rd',
      PGDATABASE: '--help',
    });
  });

  test('leaves everything to libpq when nothing is given', () => {
    const connection = new Connection(
      {},
      { PGHOST: 'envhost', PGPORT: '7', PGDATABASE: 'envdb', PGSERVICE: undefined },
    );
    expect(connection).toMatchObject({ host: 'envhost', port: '7', database: 'envdb' });
    expect(connection.to().env).not.toHaveProperty('PGHOST');
  });

  test('does not mix a configured server with a service or an address of the environment', () => {
    const { env } = new Connection({ host: 'db' }, { PGSERVICE: 'prod', PGHOSTADDR: '10.0.0.1' }).to('x');
    expect(env).toMatchObject({ PGHOST: 'db', PGSERVICE: undefined, PGHOSTADDR: undefined });
  });

  test('names the database in the arguments where a service file would go before the environment', () => {
    const connection = new Connection({}, { PGSERVICE: 'prod' });
    expect(connection.to(`it's \\ odd`).args).toEqual([`--dbname=dbname='it\\'s \\\\ odd'`]);
    expect(connection.to('x', 'me').args).toEqual([`--dbname=dbname='x' application_name='me'`]);
    expect(connection.to(undefined, 'me').args).toEqual([`--dbname=application_name='me'`]);
    expect(connection.host).toBe('service prod');
    expect(connection.database).toBeUndefined();
  });
});
