/** Tests of the whole platform as a user runs it: the attune command in a process of its own. */
package io.attune.acceptance;
