/** The subcommands of `attune`. */
package io.attune.launcher.command;
