/**
 * The main job on one machine: ask, rate, train, release, swap, and measure what it brought. The
 * raters are simulated, by a rubric that is shown; everything else is what a user of the platform
 * would do, through the same topics and endpoints.
 */
package io.attune.launcher.demo;
