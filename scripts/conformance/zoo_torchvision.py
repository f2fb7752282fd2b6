"""The models of torchvision for make_zoo.py: classification, segmentation, video, detection, optical flow."""
import torch
import torchvision

SMALL_IMAGES = {'inception_v3': 96, 'vit_b_16': 224, 'vit_b_32': 224, 'maxvit_t': 224, 'swin_t': 96, 'swin_v2_t': 96}
CLASSIFIERS = '''alexnet convnext_tiny densenet121 densenet169 efficientnet_b0 efficientnet_b1 efficientnet_v2_s googlenet inception_v3 maxvit_t
mnasnet0_5 mnasnet1_0 mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_400mf regnet_y_400mf regnet_y_800mf regnet_x_1_6gf resnet18
resnet34 resnet50 resnet101 resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1 swin_t swin_v2_t vgg11
vgg11_bn vgg13 vgg16_bn vit_b_16 vit_b_32 wide_resnet50_2'''.split()
FROZEN = '''densenet121 efficientnet_b0 googlenet mobilenet_v3_small mnasnet0_5 regnet_y_400mf resnext50_32x4d shufflenet_v2_x0_5 swin_t vgg11_bn
convnext_tiny alexnet inception_v3 maxvit_t'''.split()


def classifier(name, how):
    def make():
        extra = {'init_weights': False} if name in ('googlenet', 'inception_v3') else {}
        module = torchvision.models.get_model(name, num_classes=10, **extra)
        side = SMALL_IMAGES.get(name, 96)
        return module, (torch.randn(2 if 'script' in how and side < 200 else 1, 3, side, side),), how

    return make


def segmenter(name, how):
    def make():
        module = torchvision.models.get_model(name, num_classes=5, weights=None, weights_backbone=None)
        return module, (torch.randn(1, 3, 64, 80),), how

    return make


def video(name, how):
    def make():
        module = torchvision.models.get_model(name, num_classes=10)
        shape = (1, 3, 16, 224, 224) if name.startswith('mvit') else (1, 3, 16, 64, 64) if name == 's3d' else (1, 3, 8, 56, 56)
        return module, (torch.randn(shape),), how

    return make


def detector(name, how):
    def make():
        extra = {} if 'ssd' in name else {'min_size': 96, 'max_size': 128}
        if name.startswith(('fasterrcnn', 'maskrcnn', 'keypointrcnn')):
            extra.update(box_score_thresh=0.0, box_detections_per_img=12, rpn_post_nms_top_n_test=40)
        else:
            extra.update(score_thresh=0.0, detections_per_img=12)
        classes = {'num_classes': 2, 'num_keypoints': 5} if 'keypoint' in name else {'num_classes': 5}
        module = torchvision.models.get_model(name, weights=None, weights_backbone=None, **classes, **extra)
        return module, ([torch.rand(3, 90, 110), torch.rand(3, 100, 80)],), how

    return make


def flow(name, how):
    def make():
        module = torchvision.models.get_model(name)

        class Wrapped(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = module

            def forward(self, first, second):
                return self.net(first, second, num_flow_updates=3)

        return Wrapped(), (torch.rand(1, 3, 128, 128) * 2 - 1, torch.rand(1, 3, 128, 128) * 2 - 1), how

    return make


def detector_traced(name):
    """A detector's trace needs its images as tensors and gives plain tuples."""

    def make():
        module, inputs, _ = detector(name, '')()

        class Wrapped(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = module

            def forward(self, image):
                found = self.net([image])[0]
                return tuple(found.values())

        return Wrapped(), (inputs[0][0],), 'trace fragile no64'

    return make


def cases(group):
    out = {}
    if group == 'torchvision':
        for name in CLASSIFIERS:
            out[f'{name}_trace'] = classifier(name, 'trace')
            out[f'{name}_script'] = classifier(name, 'script')
        for name in FROZEN:
            out[f'{name}_frozen'] = classifier(name, 'script freeze')
            out[f'{name}_optimized'] = classifier(name, 'trace freeze optimize')
    if group == 'segmentation':
        for name in 'deeplabv3_mobilenet_v3_large deeplabv3_resnet50 fcn_resnet50 lraspp_mobilenet_v3_large'.split():
            for how in ('script', 'trace', 'script freeze'):
                out[f'{name}_{how.replace(" ", "_")}'] = segmenter(name, how)
    if group == 'video':
        for name in 'r3d_18 mc3_18 r2plus1d_18 s3d swin3d_t mvit_v1_b mvit_v2_s'.split():
            out[name] = video(name, 'trace')
            out[f'{name}_script'] = video(name, 'script')
    if group == 'detection':
        for name in '''fasterrcnn_mobilenet_v3_large_320_fpn fasterrcnn_mobilenet_v3_large_fpn fasterrcnn_resnet50_fpn fasterrcnn_resnet50_fpn_v2
                fcos_resnet50_fpn keypointrcnn_resnet50_fpn maskrcnn_resnet50_fpn retinanet_resnet50_fpn retinanet_resnet50_fpn_v2 ssd300_vgg16
                ssdlite320_mobilenet_v3_large'''.split():
            out[name] = detector(name, 'script fragile no64')
            out[f'{name}_trace'] = detector_traced(name)
    if group == 'flow':
        for name in ('raft_small', 'raft_large'):
            out[name] = flow(name, 'trace')
            out[f'{name}_script'] = flow(name, 'script')
    return out
