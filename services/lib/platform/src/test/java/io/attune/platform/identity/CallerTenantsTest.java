package io.attune.platform.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.eclipse.microprofile.jwt.JsonWebToken;
import org.junit.jupiter.api.Test;

class CallerTenantsTest {

  @Test
  void theTokenNamesTheTenant() {
    assertThat(CallerTenants.of(holder("acme")).name()).isEqualTo("acme");
    assertThat(CallerTenants.of(holder(List.of("acme"))).name()).isEqualTo("acme");
  }

  @Test
  void withoutOneTenantACallIsRefused() {
    refused(ErrorCode.ERROR_CODE_PERMISSION_DENIED, () -> CallerTenants.of(holder(null)));
    refused(ErrorCode.ERROR_CODE_PERMISSION_DENIED, () -> CallerTenants.of(holder("")));
    refused(
        ErrorCode.ERROR_CODE_PERMISSION_DENIED,
        () -> CallerTenants.of(holder(List.of("acme", "globex"))));
  }

  @Test
  void aServiceActsForTheTenantThatItNames() {
    SecurityIdentity service = holder(null, Roles.SERVICE, Roles.TRAINER);

    assertThat(CallerTenants.of(CallerTenants.onBehalfOf(service, "globex")).name())
        .isEqualTo("globex");
    refused(ErrorCode.ERROR_CODE_PERMISSION_DENIED, () -> CallerTenants.of(service));
    refused(
        ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
        () -> CallerTenants.onBehalfOf(service, "Globex/.."));
  }

  @Test
  void nobodyElseIsBelieved() {
    SecurityIdentity person = holder("acme", Roles.ALL.toArray(String[]::new));

    assertThat(CallerTenants.of(CallerTenants.onBehalfOf(person, "globex")).name())
        .isEqualTo("acme");
  }

  @Test
  void namesThatCouldLeadElsewhereAreNone() {
    for (String name : List.of("", "A", "a/b", "..", "-a", "a-", "a.b", "a".repeat(41))) {
      refused(ErrorCode.ERROR_CODE_INVALID_ARGUMENT, () -> new Tenant(name));
    }
    assertThat(new Tenant("a".repeat(40)).qualify("x")).isEqualTo("a".repeat(40) + "/x");
    assertThat(Tenant.DEFAULT.qualify("x")).isEqualTo("x");
  }

  private static void refused(ErrorCode code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            PlatformException.class, thrown -> assertThat(thrown.code()).isEqualTo(code));
  }

  private static SecurityIdentity holder(Object claim, String... roles) {
    return QuarkusSecurityIdentity.builder()
        .setPrincipal(new Token(claim))
        .addRoles(Set.of(roles))
        .build();
  }

  private record Token(Object tenant) implements JsonWebToken {
    @Override
    public String getName() {
      return "ann";
    }

    @Override
    public Set<String> getClaimNames() {
      return Set.of(Tenant.CLAIM);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getClaim(String name) {
      return name.equals(Tenant.CLAIM) ? (T) tenant : null;
    }
  }
}
