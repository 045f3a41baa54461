/** Several dumps in one tar, as in a sidecar's `artifact.format`. */
export const bundleFormat = { name: 'bundle', extension: '.tar' } as const;
