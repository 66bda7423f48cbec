package io.attune.platform.identity;

import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.util.regex.Pattern;

/**
 * Says, on a call between services, whose request it goes back to. The subject is written to the
 * log of the service that is called, and decides nothing: what a call may do is what its token
 * says. The tenant is the one whose things the call is about; it is believed from services alone.
 */
public final class OnBehalfOf {

  private static final Metadata.Key<String> HEADER =
      Metadata.Key.of("attune-on-behalf-of", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> TENANT =
      Metadata.Key.of(Tenant.HEADER, Metadata.ASCII_STRING_MARSHALLER);

  /** What a subject looks like that can be written to a log as it stands. */
  private static final Pattern SUBJECT = Pattern.compile("[A-Za-z0-9._:@-]{1,128}");

  private OnBehalfOf() {}

  /**
   * Names tenant and subject on a stub's calls; a subject that cannot stand in a header is left
   * out.
   */
  public static ClientInterceptor of(Tenant tenant, String subject) {
    Metadata headers = new Metadata();
    headers.put(TENANT, tenant.name());
    if (SUBJECT.matcher(subject).matches()) {
      headers.put(HEADER, subject);
    }
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /** The tenant that a call names, or null where it names none. */
  static String tenant(Metadata headers) {
    return headers.get(TENANT);
  }

  /** The subject that a call names, or null where it names none that can be logged. */
  static String named(Metadata headers) {
    String subject = headers.get(HEADER);
    return subject != null && SUBJECT.matcher(subject).matches() ? subject : null;
  }
}
