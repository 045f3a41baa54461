import { describe, expect, test } from 'vitest';
import { absolutePaths, connectionParameters, optionsFromTarget } from '../../../../src/source/redis/options.ts';

describe('where a Redis is', () => {
  test.each([
    ['redis://cache', { host: 'cache' }],
    ['redis://:p%40ss@cache:6380/0', { host: 'cache', port: 6380, password: 'p@ss' }],
    ['rediss://me:secret-word@[::1]:1', { host: '::1', port: 1, user: 'me', password: 'secret-word', tls: 'verify' }],
    ['valkey://cache/', { host: 'cache' }],
    ['valkeys://cache', { host: 'cache', tls: 'verify' }],
  ])('%s', (url, parameters) => {
    expect(connectionParameters({ url })).toEqual(parameters);
  });

  test('fields go before the parts of the URL', () => {
    const options = { url: 'rediss://me@cache:1', host: 'other', tls: 'require' } as const;
    expect(connectionParameters(options)).toEqual({ host: 'other', port: 1, user: 'me', tls: 'require' });
  });

  test.each([
    ['redis://cache/3', 'all databases'],
    ['redis://a b@c@d', 'not a connection URL'],
    ['redis://%zz@cache', 'two hex digits'],
  ])('%s is refused, and says no password', (url, message) => {
    expect(() => connectionParameters({ url })).toThrow(message);
  });

  test('a target is a server or a folder', () => {
    expect(optionsFromTarget('rediss://cache')).toEqual({ url: 'rediss://cache' });
    expect(optionsFromTarget('/var/lib/redis')).toEqual({ dataFolder: '/var/lib/redis' });
    expect(optionsFromTarget('./dump.rdb')).toEqual({ dataFolder: './dump.rdb' });
    for (const foreign of ['postgres://host', 'sqlite:shop.db', '']) expect(optionsFromTarget(foreign)).toBe(undefined);
  });

  test('paths are relative to the config, and behind a prefix as they are', () => {
    const options = { socket: 'run/redis.sock', tlsCa: '/ca.pem' };
    expect(absolutePaths(options, '/etc/x')).toEqual({ socket: '/etc/x/run/redis.sock', tlsCa: '/ca.pem' });
    expect(absolutePaths({ ...options, prefix: ['ssh', 'h'] }, '/etc/x').socket).toBe('run/redis.sock');
  });
});
