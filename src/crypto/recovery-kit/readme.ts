/** README.txt of a recovery kit; `secrets`: names of the secret files that are in it. */
export function recoveryReadme(secrets: readonly string[]): string {
  const held =
    secrets.length > 0
      ? `This folder holds secrets: ${secrets.join(', ')}. Keep it where nobody else can read it,
and never beside the backups.`
      : `This folder holds no secret. You also need the key, passphrase or identity itself.`;
  return `Recovery without dbbackup
=========================

${held}

The shortest way: every backup has a file <backup>.meta.json beside it. Its "recover" lines are the
shell commands that restore that backup; run them in a folder with the backup and the files of this kit.

What they do, step by step, for shop_2026-11-20T03-00-00-123Z_4f9c01.sql.gz.enc:

1. Check that the file is whole. "storedSha256" in the .meta.json must be what this prints:

     sha256sum shop_2026-11-20T03-00-00-123Z_4f9c01.sql.gz.enc

2. Decrypt to a file. Files that end in .enc need Node 18 or newer (apt-get install nodejs), with
   backup.key: the keys, one a line, as 64 hex digits or base64; or passphrase.txt: the passphrase:

     node decrypt.mjs shop_2026-11-20T03-00-00-123Z_4f9c01.sql.gz.enc shop.sql.gz --key backup.key
     node decrypt.mjs shop_2026-11-20T03-00-00-123Z_4f9c01.sql.gz.enc shop.sql.gz --passphrase passphrase.txt

   Files that end in .age need the age command (apt-get install age) and an identity, or it asks for the passphrase:

     age -d -i identity.txt -o shop.sql.gz shop_2026-11-20T03-00-00-123Z_4f9c01.sql.gz.age
     age -d -o shop.sql.gz shop_2026-11-20T03-00-00-123Z_4f9c01.sql.gz.age

   Go on only when the command says success (exit code 0). decrypt.mjs says what is wrong otherwise: wrong key,
   damaged header, chunk N damaged, truncated, trailing bytes. It leaves no half file, and overwrites none.

3. Decompress to a file, by what the name ends in:

     gzip -dc shop.sql.gz > shop.sql          (.gz)
     zstd -dc shop.sql.zst > shop.sql         (.zst)
     bzip2 -dc shop.sql.bz2 > shop.sql        (.bz2)
     brotli -dc shop.sql.br > shop.sql        (.br)

4. Load it with the database's own client, as the last "recover" line says. Never pipe step 2 or 3 straight into a
   database: a damaged file would be loaded by half.

decrypt.mjs is short and meant to be read; the format is described in FORMAT.md of dbbackup's source code.
`;
}
