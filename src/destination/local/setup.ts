import type { DestinationSetup } from '../../setup.ts';

export const localSetup: DestinationSetup = {
  title: 'A folder of this machine: a disk, a mount, a NAS',
  name: 'disk',
  questions: [
    { option: 'path', kind: 'path', message: 'Folder (made when missing)', required: true, offered: './backups' },
  ],
  more: ['limit: 40MB/s # how fast backups are written and read'],
  fromPlace: (place) => (/^[a-z][a-z0-9+.-]*:/i.test(place) ? undefined : { path: place }),
};
