package io.attune.platform.line;

import io.attune.platform.identity.Tenant;

/** A line among those of all tenants. */
record LineKey(Tenant tenant, String line) {}
