"""Loss of judged rows against the base's own words, and what it takes to know them, without ever holding all logits."""
import torch
import torch.nn.functional as F

from prompt import END_OF_TEXT, TAGS

CLASSES = END_OF_TEXT + 1  # text and the end of text; the last class of the loss is the end of the hole


def head_of(embedding):
    """The rows that may be chosen: text, end of text, end of hole."""
    return torch.cat((embedding[:CLASSES], embedding[TAGS["hole_end"]][None]))


@torch.no_grad()
def choices(rows, head, chunk=1024):
    """The base's choice after every row [M, D] -> [M]."""
    return torch.cat([F.linear(part, head[:CLASSES]).argmax(-1) for part in rows.split(chunk)])


class Distil(torch.autograd.Function):
    """Sum of weight * cross entropy of student rows [M, D] against the base's rows [M, D]: `hard` parts its choice, the rest
    its distribution; where `ends` the target is the end of the hole; `labels` [M], if given, stand for its choice. The gradient is
    made on the way, chunk by chunk."""

    @staticmethod
    def forward(context, student, teacher, head, ends, weight, hard, labels, chunk):
        gradient = torch.empty_like(student)
        loss = torch.zeros((), device=student.device)
        hits = torch.empty(student.shape[0], dtype=torch.bool, device=student.device)
        sure = torch.empty(student.shape[0], device=student.device)
        said = torch.empty(student.shape[0], dtype=torch.long, device=student.device)
        for at in range(0, student.shape[0], chunk):
            part = slice(at, at + chunk)
            logits = F.linear(student[part], head).float()
            target = F.linear(teacher[part], head).float()
            target[:, CLASSES] = float("-inf")
            best = torch.where(ends[part], CLASSES, target.argmax(-1) if labels is None else labels[part])
            target = torch.softmax(target, -1).mul_((1 - hard) * (~ends[part, None]))
            target.scatter_add_(1, best[:, None], torch.where(ends[part, None], 1.0, hard).to(target))
            log = torch.log_softmax(logits, -1)
            loss += -((target * log).sum(-1) * weight[part]).sum()
            top = log.max(-1)
            hits[part], sure[part], said[part] = top.indices == best, top.values.exp(), top.indices
            gradient[part] = F.linear((log.exp_() - target).mul_(weight[part, None]).to(head.dtype), head.t()).to(student)
        context.save_for_backward(gradient)
        context.mark_non_differentiable(hits, sure, said)
        return loss, hits, sure, said

    @staticmethod
    def backward(context, grad, *_):
        (gradient,) = context.saved_tensors
        return gradient * grad.to(gradient), *(None,) * 7


def distil(student, teacher, head, ends, weight, hard=0.5, labels=None, chunk=1024):
    """(loss, hits, confidence, choice) of M rows."""
    return Distil.apply(student, teacher, head, ends, weight, hard, labels, chunk)
