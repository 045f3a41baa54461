import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { flagOf, type Section } from '../../../../src/cli/wizard/draft.ts';
import { addWizardFlags } from '../../../../src/cli/wizard/flags.ts';
import { destinationTypes } from '../../../../src/destination/all.ts';
import type { Setup } from '../../../../src/setup.ts';
import { sourceTypes } from '../../../../src/source/all.ts';

const declared = new Set(addWizardFlags(new Command()).options.map(({ long }) => long));

function flagsOf(section: Section, setup: Setup): string[] {
  return setup.questions.flatMap((question) => {
    const flag = `--${flagOf(section, question)}`;
    return question.kind === 'secret' ? [`${flag}-env`, `${flag}-file`] : [flag];
  });
}

describe('the wizards', () => {
  test('every adapter has its questions, and every question a flag', () => {
    for (const [section, types] of [
      ['sources', sourceTypes],
      ['destinations', destinationTypes],
    ] as const) {
      for (const { type, setup } of types) {
        expect(setup, type).toBeDefined();
        if (setup) expect(flagsOf(section, setup).filter((flag) => !declared.has(flag))).toEqual([]);
      }
    }
  });

  test('no flag is there for nothing', () => {
    const asked = new Set([
      ...sourceTypes.flatMap(({ setup }) => (setup ? flagsOf('sources', setup) : [])),
      ...destinationTypes.flatMap(({ setup }) => (setup ? flagsOf('destinations', setup) : [])),
      ...['source', 'source-name', 'destination', 'destination-name', 'job', 'compression', 'encryption', 'recipient'],
      ...['key-file', 'retention', 'schedule', 'secrets', 'secret-variable', 'yes', 'run', 'no-run', 'no-test'],
    ]);
    expect([...declared].filter((flag) => !asked.has(flag ?? '') && !asked.has(flag?.slice(2) ?? ''))).toEqual([]);
  });

  test('questions name options that the adapter has', () => {
    for (const { type, options, setup } of [...sourceTypes, ...destinationTypes]) {
      for (const { option } of setup?.questions ?? []) {
        const issues = options.safeParse({ [option]: {} }).error?.issues ?? [];
        const unknown = issues.some((issue) => issue.code === 'unrecognized_keys' && issue.keys.includes(option));
        expect([type, option, unknown]).toEqual([type, option, false]);
      }
    }
  });
});
