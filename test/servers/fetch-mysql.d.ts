export const mysqlFolder: string;
export function fetchMysql(): void;
export function mysqldArguments(data: string): string[];
