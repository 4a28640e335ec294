//! The list of models, which the gateway answers by itself.

use super::context::RequestContext;
use super::respond;
use bytes::Bytes;
use pingora_core::Result;
use pingora_proxy::Session;

/// Answers with the models that the client may ask for, in the shape of the vendor's own list.
pub async fn answer(session: &mut Session, ctx: &mut RequestContext) -> Result<()> {
    let (Some(api), Some(admitted)) = (&ctx.api, &ctx.admitted) else {
        return Err(super::failure::refused());
    };
    let vendor = api.vendor();
    let list = vendor.model_list.of(api.models(admitted.environment).into_iter(), &vendor.name);
    respond::own(session, ctx, Bytes::from(list.to_string())).await
}
