SET statement_timeout = 0;
SET client_min_messages = warning;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.ar_internal_metadata (key character varying NOT NULL, value character varying, created_at timestamp(6) without time zone NOT NULL);
ALTER TABLE ONLY public.ar_internal_metadata ADD CONSTRAINT ar_internal_metadata_pkey PRIMARY KEY (key);
CREATE INDEX i ON public.coupons USING btree (label);
