package io.attune.launcher.hub;

import io.attune.launcher.local.LauncherException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Locale;

/**
 * Where a server may send a download. Models are stored on other hosts than the hub's, so a
 * redirect may name any public one; an address inside of a private network only if the user named
 * that host as the hub.
 */
final class RedirectRules {
  private final URI endpoint;

  RedirectRules(URI endpoint) {
    this.endpoint = endpoint;
  }

  /** Whether the token may be sent: to the hub itself alone, by its scheme, host and port. */
  boolean isHub(URI target) {
    return endpoint.getScheme().equals(target.getScheme())
        && isHubHost(target)
        && port(endpoint) == port(target);
  }

  private boolean isHubHost(URI target) {
    return endpoint.getHost().equalsIgnoreCase(target.getHost());
  }

  /** The target of a redirect; refuses one that may not be followed. */
  URI follow(URI from, String location) {
    URI target;
    try {
      target = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw refused(from, location, "is no address");
    }
    String scheme = String.valueOf(target.getScheme()).toLowerCase(Locale.ROOT);
    if (target.getHost() == null || !(scheme.equals("https") || scheme.equals("http"))) {
      throw refused(from, location, "is no web address");
    }
    if (scheme.equals("http") && from.getScheme().equals("https")) {
      throw refused(from, location, "is not encrypted, the way there was");
    }
    if (!isHubHost(target)) {
      checkPublic(from, target);
    }
    return target;
  }

  /** The JVM keeps the addresses it finds here for the connection that follows. */
  private static void checkPublic(URI from, URI target) {
    try {
      for (InetAddress address : InetAddress.getAllByName(target.getHost())) {
        if (!isPublic(address)) {
          throw refused(
              from, target.getHost(), "is the private address " + address.getHostAddress());
        }
      }
    } catch (UnknownHostException e) {
      throw refused(from, target.getHost(), "cannot be found");
    }
  }

  /** Addresses of the registries of special purposes (RFC 6890) do not count as public. */
  static boolean isPublic(InetAddress address) {
    if (address.isLoopbackAddress()
        || address.isAnyLocalAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isMulticastAddress()) {
      return false;
    }
    byte[] bytes = address.getAddress();
    if (address instanceof Inet6Address) {
      boolean uniqueLocal = (bytes[0] & 0xfe) == 0xfc;
      // ::/96, 64:ff9b::/96 and 2002::/16 carry an IPv4 address, which could be any.
      boolean embedded =
          (bytes[0] == 0 && bytes[1] == 0)
              || (bytes[0] == 0 && bytes[1] == 0x64)
              || (bytes[0] == 0x20 && bytes[1] == 0x02);
      return !uniqueLocal && !embedded;
    }
    int first = bytes[0] & 0xff;
    int second = bytes[1] & 0xff;
    boolean shared = first == 100 && (second & 0xc0) == 64;
    boolean benchmark = first == 198 && (second & 0xfe) == 18;
    return first != 0 && first < 240 && !shared && !benchmark;
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return uri.getScheme().equals("https") ? 443 : 80;
  }

  private static LauncherException refused(URI from, String target, String why) {
    return new LauncherException(
        from.getHost() + " redirects to '" + target + "', which " + why + ": not followed");
  }
}
