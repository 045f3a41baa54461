import { splitWords } from '../../src/config/words.ts';

/** As far as one command goes: quotes, single spaces, and what is neither a remark nor a word of the shell. */
const command = /^(?:'[^']*'|"(?:[^"\\]|\\.)*"| (?![ #|;&>])|[^\s'"|;&>)])*/;

/**
 * Arguments of the `dbbackup` in a line as help and README print it, `$ dbbackup run shop --note "a b"     why`, read as
 * a shell would; undefined where there is none.
 */
export function argumentsOf(line: string): readonly string[] | undefined {
  const [, rest] = /(?:^|[\s(])(?:bin\/)?dbbackup(?:\.js)?(?: (.*))?$/.exec(line) ?? [];
  if (rest === undefined) return undefined;
  return splitWords(command.exec(rest)?.[0] ?? '');
}

/** Command lines below `Examples:` of a help; one that goes on behind a backslash is one. Other programs are passed over. */
export function examplesOf(help: string): readonly (readonly string[])[] {
  const [, after = ''] = help.replace(/\\\n\s*/g, '').split(/^Examples:$/m);
  return [...after.matchAll(/^ {2}\$ (.*)$/gm)].flatMap(([, line = '']) => {
    const args = argumentsOf(line);
    return args === undefined ? [] : [args];
  });
}
