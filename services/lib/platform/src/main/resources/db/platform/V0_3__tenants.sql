-- Whose rows they are. `attune.tenant` is the setting of a transaction that is about a tenant, and
-- `attune.all_tenants` that of the platform's own work, which sees and deletes everybody's rows and
-- writes nobody's: see docs/tenants.md.

-- Gives a table its column and its fence. Rows that are there already are the default tenant's.
CREATE FUNCTION fence_tenants(fenced regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ADD COLUMN tenant text COLLATE "C" NOT NULL DEFAULT ''default''', fenced);
  EXECUTE format(
    'ALTER TABLE %s ALTER COLUMN tenant SET DEFAULT current_setting(''attune.tenant'')', fenced);
  -- Also refuses the empty text, which the setting is outside of such a transaction.
  EXECUTE format(
    'ALTER TABLE %s ADD CHECK (tenant ~ ''^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'')', fenced);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fenced);
  -- The services own their tables, and owners are not bound otherwise.
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', fenced);
  EXECUTE format(
    'CREATE POLICY tenant ON %s '
    'USING (tenant = current_setting(''attune.tenant'', true) '
    'OR current_setting(''attune.all_tenants'', true) = ''on'') '
    'WITH CHECK (tenant = current_setting(''attune.tenant'', true))', fenced);
END
$$;

SELECT fence_tenants('outbox');
