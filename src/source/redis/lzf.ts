/**
 * What Redis compressed with LZF (keys and values of more than 20 bytes). Throws RangeError on bytes that are none.
 * Source: the format of LibLZF, lzf_d.c.
 */
export function decompressLzf(input: Buffer, size: number): Buffer {
  const output = Buffer.alloc(size);
  let [from, to] = [0, 0];
  while (from < input.length) {
    const control = input.readUInt8(from++);
    if (control < 32) {
      const literal = control + 1;
      if (input.copy(output, to, from, from + literal) !== literal) throw new RangeError('LZF: cut short');
      from += literal;
      to += literal;
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += input.readUInt8(from++);
    const back = to - ((control & 0x1f) << 8) - input.readUInt8(from++) - 1;
    if (back < 0 || to + length + 2 > size) throw new RangeError('LZF: points outside');
    // Byte by byte, because what is copied may overlap what is being written.
    for (let left = length + 2; left > 0; left -= 1) {
      output[to] = output[back + length + 2 - left] as number;
      to += 1;
    }
  }
  if (to !== size) throw new RangeError('LZF: another length than was said');
  return output;
}
