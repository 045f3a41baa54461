import { describe, expect, test } from 'vitest';
import { chooseDatabases } from '../../../../src/operation/bundle/choose-databases.ts';

const known = ['a', 'a*b', 'all', 'axb', 'shop', 'shop_test', 'Größe 表', '(.*)'];

describe('the databases that a job means', () => {
  test.each([
    [['*'], [], known],
    [['shop*'], ['*_test'], ['shop']],
    [['a?b'], [], ['a*b', 'axb']],
    [['a\\*b'], [], ['a*b']],
    [['Größe ?'], [], ['Größe 表']],
    [['(.*)'], [], ['(.*)']],
    [['shop', 'a'], ['nowhere'], ['a', 'shop']],
    [['all'], [], ['all']],
  ])('%j without %j', (include, exclude, expected) => {
    expect(chooseDatabases({ include, exclude }, known)).toEqual(expected);
  });

  test.each([
    [['shop', 'shup'], [], /no database on the server is called shup/],
    [['x*'], [], /called x\*/],
    [['.'], [], /called \./],
    [['shop'], ['s*'], /excluded/],
  ])('%j without %j is an error', (include, exclude, message) => {
    expect(() => chooseDatabases({ include, exclude }, known)).toThrow(message);
  });
});
