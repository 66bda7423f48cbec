/** Content-addressed files and folders, which appear whole or not at all. */
package io.attune.platform.storage;
