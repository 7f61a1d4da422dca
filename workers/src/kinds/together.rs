//! Several jobs of one kind that are run as one, because they share a source: each keeps its own row, fence and outcome.

use backplane::store::Tx;
use backplane::store::jobs::{self, Claim, Fence};
use uuid::Uuid;

use super::{Job, JobError};
use crate::context::Context;

/// The job that was rung for, and those that it took along.
pub(super) struct Together {
    claims: Vec<Claim>,
}

impl Together {
    /// Claims those of `subjects` that nobody works on, besides the job's own.
    pub(super) async fn claim(
        context: &Context,
        job: &Job,
        subjects: impl Iterator<Item = Uuid>,
    ) -> Result<Self, JobError> {
        let others: Vec<Uuid> = subjects.filter(|subject| *subject != job.claim.subject).collect();
        let mut claims = jobs::claim_more(&context.store, &job.claim, &others, context.holder).await?;
        context.leases.adopt(&claims, job);
        claims.push(job.claim.clone());
        Ok(Self { claims })
    }

    /// Of these rows, those that were claimed.
    pub(super) fn pick<Row: Clone>(&self, rows: &[Row], id: impl Fn(&Row) -> Uuid) -> Vec<Row> {
        rows.iter().filter(|row| self.claims.iter().any(|claim| claim.subject == id(row))).cloned().collect()
    }

    /// A transaction that holds all jobs that are still ours; an error when the job itself is not.
    pub(super) async fn fenced(&self, context: &Context, job: &Job) -> Result<(Tx, Fences), JobError> {
        let mut tx = context.begin(job.claim.brand).await?;
        let fences = jobs::fence_more(&mut tx, &self.claims).await?;
        let own = fences.iter().position(|fence| fence.subject() == job.claim.subject);
        own.map(|own| (tx, Fences { fences, own })).ok_or(JobError::Fenced)
    }

    /// The jobs are settled: their leases need no renewing.
    pub(super) fn release(&self, context: &Context) {
        context.leases.release(&self.claims);
    }

    /// The run ended without a result: what was taken along goes back untouched, so that each is tried in its own
    /// right. What becomes of the job itself is decided by who runs it.
    pub(super) async fn give_back(&self, context: &Context, job: &Job) {
        let others = self.claims.iter().filter(|claim| claim.subject != job.claim.subject);
        let others: Vec<Claim> = others.cloned().collect();
        let given_back = async {
            let mut tx = context.begin(job.claim.brand).await?;
            for fence in jobs::fence_more(&mut tx, &others).await? {
                jobs::release(&mut tx, fence).await?;
            }
            tx.commit().await.map_err(JobError::from)
        };
        if let Err(error) = given_back.await {
            tracing::warn!(%error, "siblings were not given back; their leases will run out");
        }
        context.leases.release(&others);
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

    /// Ends every job well.
    pub(super) async fn settle(self, tx: &mut Tx) -> Result<(), JobError> {
        for fence in self.fences {
            jobs::settle(tx, fence).await?;
        }
        Ok(())
    }
}
