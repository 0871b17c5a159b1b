-- SPDX-License-Identifier: Apache-2.0
-- A SQLite database as SFTPGo 0.9.5 leaves it behind, schema version 1: as `initprovider` made it, with accounts of several ages
-- @HOME@, @ED25519@, @ECDSA@ and @RSA@ are filled in by the test. Every hash stands for "pass w0rd", except "full": "password".
CREATE TABLE "users" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "username" varchar(255) NOT NULL UNIQUE,
  "password" varchar(255) NULL, "public_keys" text NULL, "home_dir" varchar(255) NOT NULL, "uid" integer NOT NULL,
  "gid" integer NOT NULL, "max_sessions" integer NOT NULL, "quota_size" bigint NOT NULL, "quota_files" integer NOT NULL,
  "permissions" text NOT NULL, "used_quota_size" bigint NOT NULL, "used_quota_files" integer NOT NULL,
  "last_quota_update" bigint NOT NULL, "upload_bandwidth" integer NOT NULL, "download_bandwidth" integer NOT NULL,
  "expiration_date" bigint NOT NULL, "last_login" bigint NOT NULL, "status" integer NOT NULL, "filters" text NULL,
  "filesystem" text NULL);
CREATE TABLE "schema_version" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "version" integer NOT NULL);
INSERT INTO "schema_version" ("version") VALUES (1);
INSERT INTO "users" VALUES (3, 'full', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', '["@ED25519@ full@example","@ECDSA@","@RSA@ \"quoted\" comment"]',
  '@HOME@/full', 0, 0, 3, 1000000000, 5000, '{"/":["list","download"],"/in":["list","upload","create_dirs"],"/none":[],"/own":["*"],"/photos":["*"]}',
  4096, 2, 1583000000000, 5000, 6000, 4102444800000, 1583000000001, 1,
  '{"allowed_ip":["127.0.0.0/8","::1/128"],"denied_ip":["127.0.0.9/32"],"denied_login_methods":["keyboard-interactive"],"file_extensions":[{"path":"/photos","allowed_extensions":[".jpg",".png"],"denied_extensions":[".exe"]}]}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (4, 'bcrypt', '$2a$05$SVh18CM3BdOrlyro8sku0ebGc8NzmLOtDW5kf/LYPTtsOA7PWoST2', '[]',
  '@HOME@/bcrypt', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (5, 'md5crypt', '$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0', '[]',
  '@HOME@/md5crypt', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (6, 'sha512crypt', '$6$u0IZas569Tmj2Dtk$VQK3tW4vFjbDZkRjmOA37AeblX.CEoDBwEOKX1UFQX5iYBlrzUnZPCIcSAjekoTgEGYoHXH1vJ/qraz296s86/', '[]',
  '@HOME@/sha512crypt', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (7, 'apr1', '$apr1$Xy12Zq90$saKO2D5REVQP9Z0z5vzEQ/', '[]',
  '@HOME@/apr1', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (8, 'pbkdf2_sha1', '$pbkdf2-sha1$1200$Na/Cl.1234$kgvF+kJcU/cNaB1tqmoraYKGF58=', '[]',
  '@HOME@/pbkdf2_sha1', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (9, 'pbkdf2_sha256', '$pbkdf2-sha256$1200$Na/Cl.1234$QZINE616cYlshScx1sbAl5G4WngwkHSTWHVdJdOJ2Pc=', '[]',
  '@HOME@/pbkdf2_sha256', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (10, 'pbkdf2_sha512', '$pbkdf2-sha512$1200$Na/Cl.1234$cRrq0QhGUSQILSg0vpLQ2l8COpx9cKTMdwVZXAtiJPGO2ZNlZRZmwYPxaMa7lrxTRYCglmMssJUziAM59DIpJw==', '[]',
  '@HOME@/pbkdf2_sha512', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (20, 'keyonly', '', '["@RSA@","no-pty,no-port-forwarding @ED25519@ options in front"]',
  '@HOME@/keyonly', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (21, 'before094', '$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0', NULL,
  '@HOME@/before094', 0, 0, 0, 0, 0, '["list","download"]',
  0, 0, 0, 0, 0, 0, 0, 1,
  NULL,
  NULL);
INSERT INTO "users" VALUES (22, 'disabled', '$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0', '[]',
  '@HOME@/disabled', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 0,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (23, 'expired', '$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0', '[]',
  '@HOME@/expired', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 1583000000000, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (24, 'negative', '$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0', '[]',
  '@HOME@/negative', -1, -1, -1, -1, -1, '{"/":["*"]}',
  -7, -2, 0, -1, -1, -1, 0, 1,
  '{}',
  '{"provider":0,"s3config":{},"gcsconfig":{}}');
INSERT INTO "users" VALUES (25, 'cloud', '$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0', '[]',
  '@HOME@/cloud', 0, 0, 0, 0, 0, '{"/":["*"]}',
  0, 0, 0, 0, 0, 0, 0, 1,
  '{}',
  '{"provider":1,"s3config":{"bucket":"b","key_prefix":"p/","region":"eu-west-1","access_key":"AK","access_secret":"$aes$0123456789abcdef0123456789abcdef$00112233","endpoint":"http://127.0.0.1:1","storage_class":"STANDARD"},"gcsconfig":{}}');
