/** The bytes that end, open or escape something in the scripts of dump tools. */
export const lineFeed = 0x0a;
export const exclamation = 0x21;
export const doubleQuote = 0x22;
export const hash = 0x23;
export const dollar = 0x24;
export const quote = 0x27;
export const closing = 0x29;
export const star = 0x2a;
export const dash = 0x2d;
export const slash = 0x2f;
export const semicolon = 0x3b;
export const letterE = 0x45;
export const letterM = 0x4d;
export const letterV = 0x56;
export const backslash = 0x5c;
export const backtick = 0x60;
