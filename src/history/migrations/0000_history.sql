CREATE TABLE `execution_destination` (
	`execution_id` text NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`status` text NOT NULL,
	`key` text,
	`size` integer,
	`error` text,
	`updated` integer NOT NULL,
	PRIMARY KEY(`execution_id`, `name`),
	FOREIGN KEY (`execution_id`) REFERENCES `execution`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `execution` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`job` text,
	`trigger` text NOT NULL,
	`host` text NOT NULL,
	`pid` integer NOT NULL,
	`status` text NOT NULL,
	`step` text,
	`estimated_bytes` integer,
	`raw_bytes` integer,
	`stored_bytes` integer,
	`started_at` integer NOT NULL,
	`finished_at` integer,
	`duration_ms` integer,
	`compression` text,
	`level` integer,
	`encryption_fingerprint` text,
	`backup_type` text,
	`filter` text,
	`note` text,
	`backup_id` text,
	`artifact` text,
	`raw_sha256` text,
	`stored_sha256` text,
	`error_code` text,
	`error_message` text,
	`error_hint` text,
	`retry_count` integer DEFAULT 0 NOT NULL,
	`created` integer NOT NULL,
	`updated` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `execution_job` ON `execution` (`job`,`started_at`);--> statement-breakpoint
CREATE INDEX `execution_status` ON `execution` (`status`,`started_at`);--> statement-breakpoint
CREATE INDEX `execution_started_at` ON `execution` (`started_at`);--> statement-breakpoint
CREATE TABLE `log_line` (
	`execution_id` text NOT NULL,
	`sequence` integer NOT NULL,
	`at` integer NOT NULL,
	`level` text NOT NULL,
	`text` text NOT NULL,
	PRIMARY KEY(`execution_id`, `sequence`),
	FOREIGN KEY (`execution_id`) REFERENCES `execution`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `validation` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`backup_id` text NOT NULL,
	`key` text NOT NULL,
	`destination` text NOT NULL,
	`result` text NOT NULL,
	`error` text
);
--> statement-breakpoint
CREATE INDEX `validation_backup` ON `validation` (`backup_id`,`at`);