package io.attune.training.adapter;

import io.attune.common.v1.AdapterVersion;
import io.attune.common.v1.Artifact;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.database.TenantTransactions;
import io.attune.platform.error.PlatformException;
import io.attune.platform.event.Outbox;
import io.attune.platform.identity.Tenant;
import io.attune.training.Messages;
import io.attune.training.adapter.AdapterStore.Line;
import io.attune.training.v1.Adapter;
import io.attune.training.v1.AdapterLineChanged;
import io.attune.training.v1.AdapterLineChanged.Change;
import io.attune.training.v1.GateDecision;
import io.attune.training.v1.LineKind;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.Handle;

/**
 * What happens to lines of adapters. Each change moves the line's row by compare-and-set and puts
 * AdapterLineChanged into the outbox, in one transaction.
 */
@ApplicationScoped
public class AdapterLines {
  private final TenantTransactions transactions;
  private final AdapterStore store;
  private final Outbox outbox;
  private final Clock clock;

  @Inject
  public AdapterLines(
      TenantTransactions transactions, AdapterStore store, Outbox outbox, Clock clock) {
    this.transactions = transactions;
    this.store = store;
    this.outbox = outbox;
    this.clock = clock;
  }

  /**
   * Makes sure that a line exists.
   *
   * @throws PlatformException INVALID_ARGUMENT when it exists and its adapters do something else
   */
  public void ensure(Handle handle, String line, LineKind kind) {
    store.insertLine(handle, line, kind);
    Line found = store.findLine(handle, line).orElseThrow();
    if (found.kind() != kind) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INVALID_ARGUMENT,
          "Line "
              + line
              + " is "
              + found.kind()
              + "; this objective makes "
              + kind
              + ": choose another line.");
    }
  }

  /** The line's active adapter; empty when that is the base model. */
  public Optional<Adapter> active(Handle handle, String line) {
    return store
        .findLine(handle, line)
        .flatMap(found -> store.find(handle, line, found.activeVersion()));
  }

  /** A version of a line; empty for version 0, which is none. */
  public Optional<Adapter> find(Handle handle, String line, long version) {
    return store.find(handle, line, version);
  }

  /** Registers what a job made as the next version of its line. */
  public AdapterVersion register(
      Handle handle,
      UUID jobId,
      String line,
      Artifact artifact,
      String contractSha256,
      long parentVersion) {
    Line locked = lock(handle, line);
    Instant now = clock.instant();
    Adapter.Builder adapter =
        Adapter.newBuilder()
            .setVersion(
                AdapterVersion.newBuilder()
                    .setLine(line)
                    .setVersion(locked.lastVersion() + 1)
                    .setSha256(artifact.getSha256()))
            .setKind(locked.kind())
            .setArtifact(artifact)
            .setJobId(jobId.toString())
            .setContractSha256(contractSha256)
            .setCreateTime(Messages.timestamp(now));
    store
        .find(handle, line, parentVersion)
        .ifPresent(parent -> adapter.setParent(parent.getVersion()));
    Adapter made = adapter.build();
    store.insert(handle, made);
    Line moved = move(handle, locked, made.getVersion().getVersion(), locked.activeVersion());
    announce(handle, moved, Change.CHANGE_CANDIDATE, Optional.of(made), now);
    return made.getVersion();
  }

  /**
   * Makes a candidate the active version.
   *
   * @param compared the version that the gate compared it with
   * @throws PlatformException CONFLICT when another version is active by now
   */
  public void release(Handle handle, AdapterVersion candidate, long compared) {
    Line locked = lock(handle, candidate.getLine());
    requireActive(locked, compared);
    Instant now = clock.instant();
    store.markReleased(handle, locked.name(), candidate.getVersion(), now);
    Line moved = move(handle, locked, locked.lastVersion(), candidate.getVersion());
    announce(handle, moved, Change.CHANGE_RELEASED, subject(handle, candidate), now);
  }

  /**
   * Registers the next version of a line that no gate guards, and makes it active.
   *
   * @param jobId the job whose policy it is
   */
  public AdapterVersion advance(
      Handle handle, UUID jobId, String line, Artifact artifact, String contractSha256) {
    long active = lock(handle, line).activeVersion();
    AdapterVersion made = register(handle, jobId, line, artifact, contractSha256, active);
    release(handle, made, active);
    return made;
  }

  /**
   * Takes a line that no gate guards back to the base model, if its active version is one of a
   * job's. A line that is not there changes nothing.
   */
  public void retire(Tenant tenant, String line, UUID jobId) {
    transactions.useTenant(
        tenant,
        handle -> {
          Optional<Line> locked = store.lockLine(handle, line);
          Optional<Adapter> ours =
              active(handle, line).filter(adapter -> adapter.getJobId().equals(jobId.toString()));
          if (locked.isPresent() && ours.isPresent()) {
            Line moved = move(handle, locked.get(), locked.get().lastVersion(), 0);
            announce(handle, moved, Change.CHANGE_ROLLED_BACK, ours, clock.instant());
          }
        });
  }

  /** Says that a candidate was refused. */
  public void refuse(Handle handle, AdapterVersion candidate) {
    Line locked = lock(handle, candidate.getLine());
    Line moved = move(handle, locked, locked.lastVersion(), locked.activeVersion());
    announce(handle, moved, Change.CHANGE_REFUSED, subject(handle, candidate), clock.instant());
  }

  /**
   * Makes an earlier version active again.
   *
   * @param version a version that was released once, or 0 for the base model
   * @return the version that is active now
   * @throws PlatformException NOT_FOUND when the line or the version does not exist, CONFLICT when
   *     the version was never released
   */
  public AdapterVersion rollBack(Tenant tenant, String line, long version) {
    return transactions.inTenant(
        tenant, handle -> rollBack(handle, line, version, Optional.empty()));
  }

  /**
   * As the other, within a transaction.
   *
   * @param why what live ratings said, where it was they and not a person
   */
  public AdapterVersion rollBack(
      Handle handle, String line, long version, Optional<GateDecision> why) {
    Line locked = lock(handle, line);
    Optional<Adapter> target = store.find(handle, line, version);
    if (version != 0 && target.isEmpty()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_NOT_FOUND, "Line " + line + " has no version " + version + ".");
    }
    if (version != 0 && !store.wasReleased(handle, line, version)) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_CONFLICT,
          "Version " + version + " of line " + line + " never passed the gate.");
    }
    if (locked.activeVersion() != version) {
      Optional<Adapter> left = store.find(handle, line, locked.activeVersion());
      Line moved = move(handle, locked, locked.lastVersion(), version);
      announce(handle, moved, Change.CHANGE_ROLLED_BACK, left, clock.instant(), why);
    }
    return target.map(Adapter::getVersion).orElse(base(line));
  }

  /**
   * Says again where each line stands: for a topic whose records were lost, and over what it still
   * says of a time that the database was taken back before.
   */
  public void repeat() {
    for (AdapterStore.Owned owned : transactions.acrossTenants("lines", store::lines)) {
      transactions.useTenant(owned.tenant(), handle -> repeat(handle, owned.line()));
    }
    outbox.wake();
  }

  private void repeat(Handle handle, String line) {
    Line locked = lock(handle, line);
    Line moved = move(handle, locked, locked.lastVersion(), locked.activeVersion());
    announce(
        handle,
        moved,
        Change.CHANGE_REPEATED,
        store.find(handle, line, moved.activeVersion()),
        clock.instant());
  }

  /** Version 0 of a line: the base model. */
  public static AdapterVersion base(String line) {
    return AdapterVersion.newBuilder().setLine(line).build();
  }

  private Line lock(Handle handle, String line) {
    return store
        .lockLine(handle, line)
        .orElseThrow(
            () ->
                new PlatformException(
                    ErrorCode.ERROR_CODE_NOT_FOUND, "There is no adapter line " + line + "."));
  }

  private static void requireActive(Line line, long compared) {
    if (line.activeVersion() != compared) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_CONFLICT,
          "The candidate was compared with version %d of line %s, but version %d is active by now: run the job again."
              .formatted(compared, line.name(), line.activeVersion()));
    }
  }

  private Optional<Adapter> subject(Handle handle, AdapterVersion version) {
    return store.find(handle, version.getLine(), version.getVersion());
  }

  private Line move(Handle handle, Line from, long lastVersion, long activeVersion) {
    if (!store.compareAndSet(handle, from, lastVersion, activeVersion, clock.instant())) {
      throw new IllegalStateException("line " + from.name() + " moved although it is locked");
    }
    return store.findLine(handle, from.name()).orElseThrow();
  }

  private void announce(
      Handle handle, Line line, Change change, Optional<Adapter> subject, Instant now) {
    announce(handle, line, change, subject, now, Optional.empty());
  }

  private void announce(
      Handle handle,
      Line line,
      Change change,
      Optional<Adapter> subject,
      Instant now,
      Optional<GateDecision> liveRatings) {
    AdapterLineChanged.Builder event =
        AdapterLineChanged.newBuilder()
            .setLine(line.name())
            .setKind(line.kind())
            .setChange(change)
            .setRevision(line.revision())
            .setChangeTime(Messages.timestamp(now));
    subject.ifPresent(event::setSubject);
    liveRatings.ifPresent(event::setLiveRatings);
    store.find(handle, line.name(), line.activeVersion()).ifPresent(event::setActive);
    outbox.add(handle, event.build(), "line/" + line.name() + "/" + line.revision(), now);
  }
}
