/** Calls `done` once, with the error that `action` throws: the body of a Transform's methods. */
export function attempt(done: (error?: Error | null) => void, action: () => void): void {
  let failure: Error | null = null;
  try {
    action();
  } catch (error) {
    failure = error as Error;
  }
  done(failure);
}
