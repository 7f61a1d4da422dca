//! Several jobs of one kind that are run as one, because they share a source: each keeps its own row, fence and outcome.

use backplane::store::Tx;
use backplane::store::jobs::{self, Claim, Fence};
use uuid::Uuid;

use super::{Job, JobError};
use crate::context::Context;

/// The job that was rung for, and those that it took along. Dropped, it no longer renews their leases: whoever drops it
/// has settled them, given them back, or lost them.
pub(super) struct Together<'a> {
    context: &'a Context,
    job: &'a Job,
    /// Without the job's own.
    others: Vec<Claim>,
}

impl<'a> Together<'a> {
    /// Claims those of `subjects` that nobody works on, besides the job's own.
    pub(super) async fn claim(
        context: &'a Context,
        job: &'a Job,
        subjects: impl Iterator<Item = Uuid>,
    ) -> Result<Self, JobError> {
        let others: Vec<Uuid> = subjects.filter(|subject| *subject != job.claim.subject).collect();
        let others = jobs::claim_more(&context.store, &job.claim, &others, context.holder).await?;
        context.leases.adopt(&others, job);
        Ok(Self { context, job, others })
    }

    /// Of these rows, those that were claimed.
    pub(super) fn pick<Row: Clone>(&self, rows: &[Row], id: impl Fn(&Row) -> Uuid) -> Vec<Row> {
        let own = self.job.claim.subject;
        let is_ours = |id: Uuid| id == own || self.others.iter().any(|claim| claim.subject == id);
        rows.iter().filter(|row| is_ours(id(row))).cloned().collect()
    }

    /// A transaction that holds all jobs that are still ours; an error when the job itself is not.
    pub(super) async fn fenced(&self) -> Result<(Tx, Fences), JobError> {
        let claims: Vec<Claim> = self.others.iter().chain([&self.job.claim]).cloned().collect();
        let mut tx = self.context.begin(self.job.claim.brand).await?;
        let fences = jobs::fence_more(&mut tx, &claims).await?;
        let own = fences.iter().position(|fence| fence.subject() == self.job.claim.subject);
        own.map(|own| (tx, Fences { fences, own })).ok_or(JobError::Fenced)
    }

    /// The run ended without a result: what was taken along goes back untouched, so that each is tried in its own
    /// right. What becomes of the job itself is decided by who runs it.
    pub(super) async fn give_back(self) {
        let given_back = async {
            let mut tx = self.context.begin(self.job.claim.brand).await?;
            for fence in jobs::fence_more(&mut tx, &self.others).await? {
                jobs::release(&mut tx, fence).await?;
            }
            tx.commit().await.map_err(JobError::from)
        };
        if let Err(error) = given_back.await {
            tracing::warn!(%error, "siblings were not given back; their leases will run out");
        }
    }
}

impl Drop for Together<'_> {
    fn drop(&mut self) {
        self.context.leases.release(&self.others);
    }
}

/// The fences of jobs that are settled in one transaction.
pub(super) struct Fences {
    fences: Vec<Fence>,
    own: usize,
}

impl Fences {
    /// That of the job that was rung for.
    pub(super) fn own(&self) -> &Fence {
        &self.fences[self.own]
    }

    /// What is still ours to write.
    pub(super) fn subjects(&self) -> Vec<Uuid> {
        self.fences.iter().map(Fence::subject).collect()
    }

    /// Ends every job well, but for those of `again`, which are run again at once.
    pub(super) async fn settle(self, tx: &mut Tx, again: &[Uuid]) -> Result<(), JobError> {
        for fence in self.fences {
            if again.contains(&fence.subject()) {
                jobs::release(tx, fence).await?;
            } else {
                jobs::settle(tx, fence).await?;
            }
        }
        Ok(())
    }
}
