-- Edited by hand: STRICT and WITHOUT ROWID, which drizzle-kit cannot say.
CREATE TABLE `apis` (
	`id` text PRIMARY KEY NOT NULL,
	`display_name` text NOT NULL,
	`token_prefix` text NOT NULL,
	`environments` text NOT NULL,
	`scopes` text NOT NULL,
	`route_rules` text NOT NULL,
	`default_ttl` integer,
	`default_rate_limits` text NOT NULL,
	`imported_token_shapes` text NOT NULL,
	`create_time` integer NOT NULL,
	`update_time` integer NOT NULL,
	`revision` integer NOT NULL,
	`seal` blob NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `apis_token_prefix_unique` ON `apis` (`token_prefix`);--> statement-breakpoint
CREATE TABLE `audit_events` (
	`revision` integer PRIMARY KEY NOT NULL,
	`record_kind` text NOT NULL,
	`record_id` text NOT NULL,
	`adds_token` integer NOT NULL,
	`time` integer NOT NULL,
	`action` text NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_key_id` text,
	`actor_ip` text NOT NULL,
	`request_id` text NOT NULL,
	`api` text NOT NULL,
	`before` text,
	`after` text,
	`hash` text NOT NULL,
	CONSTRAINT "audit_events_record_kind" CHECK(record_kind IN ('api', 'key', 'import')),
	CONSTRAINT "audit_events_adds_token" CHECK(adds_token IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE INDEX `audit_events_by_record` ON `audit_events` (`record_id`,`revision`);--> statement-breakpoint
CREATE INDEX `audit_events_by_api` ON `audit_events` (`api`,`revision`);--> statement-breakpoint
CREATE TABLE `audit_head` (
	`id` integer PRIMARY KEY NOT NULL,
	`revision` integer NOT NULL,
	`hash` text NOT NULL,
	`records` blob NOT NULL,
	`commits` integer NOT NULL,
	`is_distrusted` integer NOT NULL,
	`seal` blob NOT NULL,
	CONSTRAINT "audit_head_id" CHECK(id = 1),
	CONSTRAINT "audit_head_is_distrusted" CHECK(is_distrusted IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`api` text NOT NULL,
	`environment` text NOT NULL,
	`owner` text NOT NULL,
	`display_name` text NOT NULL,
	`scopes` text NOT NULL,
	`allowed_cidrs` text NOT NULL,
	`rate_limits` text NOT NULL,
	`metadata` text NOT NULL,
	`binding` text,
	`state` text NOT NULL,
	`expire_time` integer,
	`generation` integer NOT NULL,
	`hint` text NOT NULL,
	`previous_hint` text,
	`previous_expire_time` integer,
	`create_time` integer NOT NULL,
	`update_time` integer NOT NULL,
	`revoke_time` integer,
	`revision` integer NOT NULL,
	`seal` blob NOT NULL,
	FOREIGN KEY (`api`) REFERENCES `apis`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "keys_state" CHECK(state IN ('ACTIVE', 'DISABLED', 'REVOKED')),
	CONSTRAINT "keys_generation" CHECK(generation >= 1),
	CONSTRAINT "keys_previous" CHECK((previous_hint IS NULL) = (previous_expire_time IS NULL))
) STRICT;
--> statement-breakpoint
CREATE INDEX `keys_by_api_environment` ON `keys` (`api`,`environment`,`id`);--> statement-breakpoint
CREATE INDEX `keys_by_api` ON `keys` (`api`,`id`);--> statement-breakpoint
CREATE INDEX `keys_by_owner` ON `keys` (`owner`,`id`);--> statement-breakpoint
CREATE INDEX `keys_by_expiry` ON `keys` (`expire_time`) WHERE expire_time IS NOT NULL;--> statement-breakpoint
CREATE INDEX `keys_not_active` ON `keys` (`state`,`id`) WHERE state <> 'ACTIVE';--> statement-breakpoint
CREATE TABLE `last_uses` (
	`key_id` text NOT NULL,
	`generation` integer NOT NULL,
	`time` integer NOT NULL,
	`client_ip` text NOT NULL,
	PRIMARY KEY(`key_id`, `generation`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `peppers` (
	`id` text PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `seal_keys` (
	`id` text PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `served_requests` (
	`request_id` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`key_id` text NOT NULL,
	`time` integer NOT NULL,
	FOREIGN KEY (`key_id`) REFERENCES `keys`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `served_requests_by_time` ON `served_requests` (`time`);--> statement-breakpoint
CREATE TABLE `tokens` (
	`digest` blob PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`pepper_id` text NOT NULL,
	`generation` integer NOT NULL,
	`seal` blob NOT NULL,
	FOREIGN KEY (`key_id`) REFERENCES `keys`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`pepper_id`) REFERENCES `peppers`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "tokens_digest" CHECK(length(digest) = 32),
	CONSTRAINT "tokens_generation" CHECK(generation >= 1)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage` (
	`key_id` text NOT NULL,
	`hour` integer NOT NULL,
	`reason` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`key_id`, `hour`, `reason`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `usage_by_hour` ON `usage` (`hour`);