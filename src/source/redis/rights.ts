/** What a restore into a running server needs of ACL, for hints. */
export const rightsToRestore =
  '~* +@write +restore +select +multi +exec +flushdb +swapdb +info +echo +function +config|get';
