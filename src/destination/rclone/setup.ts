import type { DestinationSetup } from '../../setup.ts';

export const rcloneSetup: DestinationSetup = {
  title: 'rclone: some seventy clouds, by a remote that rclone has',
  name: 'cloud',
  questions: [
    {
      option: 'remote',
      kind: 'text',
      message: 'Remote and folder, as drive:backups (rclone listremotes)',
      required: true,
    },
    { option: 'config', kind: 'path', message: "rclone's config file (empty: where rclone looks itself)" },
  ],
  more: [
    'configPassword: of an encrypted config file, as a reference',
    'limit: 10MB/s # how fast backups are sent and fetched',
  ],
  fromPlace(place) {
    const remote = /^rclone:(.+)$/i.exec(place)?.[1];
    return remote === undefined ? undefined : { remote };
  },
};
