/** A change of a scheduler's settings that can be shown before it is made. */
export interface SchedulePlan {
  readonly place: string;
  /** Empty: all is as it should be. */
  readonly changes: readonly TextChange[];
  /** What is left for the user to do, known when `apply` is done. */
  readonly remarks: readonly string[];
  apply(): Promise<void>;
}

/** Empty text: not there. */
export interface TextChange {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Lines taken out with `-`, added with `+`, the same without. Good enough for texts that are replaced as a whole. */
export function diffLines({ before, after }: TextChange): readonly string[] {
  const [old, fresh] = [before, after].map((text) => text.split('\n').filter((line) => line !== '')) as [
    string[],
    string[],
  ];
  const gone = old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`);
  return [...gone, ...fresh.map((line) => `${old.includes(line) ? ' ' : '+'} ${line}`)];
}
