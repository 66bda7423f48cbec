/** Jdbi on the service's data source; absent where a service has none. */
package io.attune.platform.database;
