/**
 * Following adapter lines: which version of each line must be served, loading it beside the old
 * one, switching in one step, and closing the old one when its last user has gone. What a loaded
 * version is, is the service's affair: the handle's type is a parameter.
 */
package io.attune.platform.line;
