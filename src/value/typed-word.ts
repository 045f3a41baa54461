/** One word as a person would type it into a POSIX shell: bare where that says the same, else in quotes. */
export function typedWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}
